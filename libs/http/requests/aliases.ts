import { type IncomingMessage } from 'node:http';
import { platformPrefix } from './paths';

/** Other addresses of routes of /v1, which the clients of other APIs build. A request for one of them runs as the route itself. */
interface Alias {
  /** What the addresses have in place of `/v1`, as a route's pattern. */
  readonly prefix: string;
  /** The paths below /v1 that have such an address; absent: all. */
  readonly paths?: readonly string[];
}

const deployments = '/openai/deployments/:deployment';
const operationsOfDeployments = [
  'chat/completions',
  'completions',
  'embeddings',
  'audio/transcriptions',
  'audio/translations',
  'audio/speech',
  'images/generations',
  'images/edits',
  'responses',
];

/**
 * Azure's dated API has the deployment in the path, except for responses and models; its v1 API does not
 * (https://learn.microsoft.com/azure/ai-foundry/openai/reference). @ai-sdk/azure puts it there for responses too, and where the
 * host is not Azure's it leaves out `/v1`.
 * Cohere's clients call the second version of rerank.
 */
const aliases: readonly Alias[] = [
  {
    prefix: deployments,
    paths: operationsOfDeployments,
  },
  { prefix: '/openai/v1' },
  { prefix: '/openai', paths: [...operationsOfDeployments, 'models'] },
  { prefix: '/v2', paths: ['rerank'] },
];

/** The address of a request that is an alias. */
export interface ResolvedAlias {
  readonly prefix: string;
  /** The target of the request for the router, below /v1. */
  readonly url: string;
  /** The deployment in the path, decoded: the name of a model. */
  readonly deployment: string | undefined;
}

/** Clients append to an endpoint that ends in a slash. A model's name may have slashes, which not every client encodes. */
const patterns = aliases.map(({ prefix, paths }) => {
  const start = `/+${prefix.slice(1)}`.replace(':deployment', '(?<deployment>[^/].*?)');
  const rest =
    paths === undefined ? '.*' : `(?:${paths.join('|')})${prefix === deployments ? '/?' : '(?:/.*)?'}`;
  return { prefix, pattern: new RegExp(`^${start}/(?<rest>${rest})$`) };
});

/** @returns undefined for the address of a route itself, and for one that cannot be decoded */
export function resolveAlias(url: string): ResolvedAlias | undefined {
  // Nearly every request stops here.
  if (!/^\/+(openai|v2)\//.test(url)) return undefined;
  const end = url.indexOf('?');
  const path = end === -1 ? url : url.slice(0, end);
  for (const { prefix, pattern } of patterns) {
    const { rest, deployment } = pattern.exec(path)?.groups ?? {};
    if (rest === undefined) continue;
    try {
      return {
        prefix,
        url: `${platformPrefix}/${rest}${end === -1 ? '' : withoutVersion(url.slice(end + 1))}`,
        deployment: deployment === undefined ? undefined : decodeURIComponent(deployment),
      };
    } catch {
      return undefined;
    }
  }
  return undefined;
}

/**
 * The aliases of a route, with their parameters as in the OpenAPI document.
 * @param path of the route, in the same form
 */
export function aliasesOf(path: string): string[] {
  const rest = path.slice(platformPrefix.length);
  return aliases
    .map(({ prefix }) => prefix.replace(/:(\w+)/, '{$1}') + rest)
    .filter((alias) => resolveAlias(alias)?.url === path);
}

/** Fastify's option `rewriteUrl`. */
export function rewriteUrl({ url = '/' }: IncomingMessage): string {
  return resolveAlias(url)?.url ?? url;
}

/** Tenkey does not use the client's `api-version`, and no provider may get it: the credential decides which version is sent. */
function withoutVersion(query: string): string {
  const kept = query.split('&').filter((part) => !/^api-version(=|$)/i.test(part));
  return kept.join('&') === '' ? '' : `?${kept.join('&')}`;
}
