import { createHash } from 'node:crypto';
import { UnsupportedParameter } from '../translation';

/** A tool as the client knows it. */
export interface ClientTool {
  readonly name: string;
  readonly namespace?: string;
  /** A custom tool, which takes any text. */
  readonly isCustom: boolean;
}

/** The name in the provider's request -> the tool, for those whose calls are not items of plain functions. */
export type ClientTools = ReadonlyMap<string, ClientTool>;

/** The longest name that OpenAI and most providers accept. */
const longestName = 64;
/** They are remembered until the response is complete. */
const mostCharacters = 64 * 1024;

/**
 * The name of a function in the provider's request. Chat completions have no namespaces, so that of the tool becomes a part of
 * its name, in the same way in each request of a conversation.
 */
export function nameWithin(namespace: string | undefined, name: string): string {
  if (namespace === undefined) return name;
  const joined = namespace.endsWith('__') ? namespace + name : `${namespace}__${name}`;
  if (joined.length <= longestName) return joined;
  const hash = createHash('sha256').update(joined).digest('hex').slice(0, 8);
  return `${joined.slice(0, longestName - hash.length - 1)}_${hash}`;
}

/** @throws UnsupportedParameter when the names take too much memory */
export function checkSize(tools: ClientTools): void {
  let characters = 0;
  for (const [key, { name, namespace = '' }] of tools)
    characters += key.length + name.length + namespace.length;
  if (characters <= mostCharacters) return;
  throw new UnsupportedParameter(
    'tools',
    `The names of custom tools and of tools in namespaces may have at most ${mostCharacters} characters together.`,
  );
}
