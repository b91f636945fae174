import { type Json, UnsupportedParameter } from '../translation';
import { isAbsent, isObject, requireBoolean, requireList, requireObject, requireText } from '../values';
import { checkSize, type ClientTool, type ClientTools, nameWithin } from './tool-names';

/** The tools that OpenAI's API runs or defines itself, by the beginning of their type. */
export const serverTools = [
  'web_search',
  'file_search',
  'code_interpreter',
  'computer',
  'mcp',
  'image_generation',
  'local_shell',
  'shell',
  'apply_patch',
  'tool_search',
  'programmatic_tool_calling',
] as const;

/** Fields that change how OpenAI's models see or call a tool. */
const fieldsWithoutCounterpart = ['defer_loading', 'allowed_callers', 'output_schema'];

/** The one parameter of the function that a custom tool becomes. */
export const inputOfCustomTool = 'input';

/**
 * @returns `tools`, `tool_choice` and `parallel_tool_calls` of the provider's request, or none of them when there are no tools; and
 *   what their calls become
 */
export function encodeTools(params: Json, dropped: Set<string>): { fields: Json; clientTools: ClientTools } {
  const clientTools = new Map<string, ClientTool>();
  const tools =
    'tools' in params
      ? requireList('tools', params.tools).flatMap((tool, index) =>
          encodeTool(`tools[${index}]`, tool, clientTools, dropped),
        )
      : [];
  checkSize(clientTools);
  const { allowed, choice } = encodeChoice(params.tool_choice, tools);
  const isSerial =
    'parallel_tool_calls' in params && !requireBoolean('parallel_tool_calls', params.parallel_tool_calls);
  if (allowed.length === 0) return { fields: {}, clientTools };
  const fields = {
    tools: allowed,
    ...(choice !== undefined && { tool_choice: choice }),
    ...(isSerial && { parallel_tool_calls: false }),
  };
  return { fields, clientTools };
}

interface Namespace {
  readonly name: string;
  readonly description: string;
}

/** @returns the functions that a tool becomes: one, or those of a namespace */
function encodeTool(
  path: string,
  value: unknown,
  clientTools: Map<string, ClientTool>,
  dropped: Set<string>,
  namespace?: Namespace,
): Json[] {
  const tool = requireObject(path, value);
  const { type, description } = tool;
  if (type !== 'function' && type !== 'custom' && (type !== 'namespace' || namespace !== undefined)) {
    throw new UnsupportedParameter(`${path}.type`, refusalOf(type));
  }
  const name = requireText(`${path}.name`, tool.name);
  const text = isAbsent(description) ? '' : requireText(`${path}.description`, description);
  if (type === 'namespace') {
    return requireList(`${path}.tools`, tool.tools).flatMap((each, index) =>
      encodeTool(`${path}.tools[${index}]`, each, clientTools, dropped, { name, description: text }),
    );
  }
  for (const field of fieldsWithoutCounterpart) {
    if (!isAbsent(tool[field]) && tool[field] !== false) dropped.add(`tools[].${field}`);
  }
  const isCustom = type === 'custom';
  const nameForProvider = nameWithin(namespace?.name, name);
  if (isCustom || namespace !== undefined) {
    clientTools.set(nameForProvider, { name, namespace: namespace?.name, isCustom });
  }
  const texts = [namespace?.description ?? '', text];
  if (isCustom) texts.push(grammarOf(path, tool.format, dropped));
  const joined = texts.filter((each) => each !== '').join('\n\n');
  const definition = {
    name: nameForProvider,
    ...(joined !== '' && { description: joined }),
    parameters: isCustom ? parametersOfCustomTool : parametersOf(path, tool.parameters),
    ...(!isCustom && tool.strict === true && { strict: true }),
  };
  return [{ type: 'function', function: definition }];
}

function parametersOf(path: string, parameters: unknown): Json {
  return isAbsent(parameters)
    ? { type: 'object', properties: {} }
    : requireObject(`${path}.parameters`, parameters);
}

const parametersOfCustomTool = {
  type: 'object',
  properties: { [inputOfCustomTool]: { type: 'string', description: 'The whole input of the tool' } },
  required: [inputOfCustomTool],
  additionalProperties: false,
};

/** No provider but OpenAI can enforce the grammar of a custom tool, so its description contains it. */
function grammarOf(path: string, value: unknown, dropped: Set<string>): string {
  const format = isAbsent(value) ? undefined : requireObject(`${path}.format`, value);
  if (format?.type !== 'grammar') return '';
  dropped.add('tools[].format');
  const notation =
    requireText(`${path}.format.syntax`, format.syntax) === 'regex' ? 'regular expression' : 'Lark grammar';
  const definition = requireText(`${path}.format.definition`, format.definition);
  return `The text in "${inputOfCustomTool}" must match this ${notation}:\n${definition}`;
}

/** Names only types that are known, because the type is the client's text. */
function refusalOf(type: unknown): string {
  const known = serverTools.find((each) => typeof type === 'string' && type.startsWith(each));
  const which = known === undefined ? 'tools of this type' : `the tool ${known}`;
  return `This provider does not have ${which}; it accepts only function and custom tools. Leave it out of tools.`;
}

/** With `allowed_tools`, the other tools are not sent. */
function encodeChoice(value: unknown, tools: Json[]): { allowed: Json[]; choice?: string | Json } {
  if (isAbsent(value)) return { allowed: tools };
  if (value === 'auto' || value === 'none') return { allowed: tools, choice: value };
  if (tools.length === 0) {
    throw new UnsupportedParameter(
      'tool_choice',
      'tool_choice requires a tool, but the request has no tools.',
    );
  }
  if (value === 'required') return { allowed: tools, choice: value };
  const choice = requireObject('tool_choice', value);
  if (choice.type === 'function' || choice.type === 'custom') {
    return {
      allowed: tools,
      choice: { type: 'function', function: { name: chosenName('tool_choice', choice) } },
    };
  }
  if (choice.type === 'allowed_tools') return encodeAllowed(choice, tools);
  throw new UnsupportedParameter(
    'tool_choice',
    'For this provider, tool_choice must be auto, none, required, a function or custom tool, or allowed_tools.',
  );
}

/** The name for the provider of a tool that the client names. */
export function chosenName(path: string, { name, namespace }: Json): string {
  const within = isAbsent(namespace) ? undefined : requireText(`${path}.namespace`, namespace);
  return nameWithin(within, requireText(`${path}.name`, name));
}

function encodeAllowed({ mode, tools: names }: Json, tools: Json[]): { allowed: Json[]; choice: string } {
  if (mode !== 'auto' && mode !== 'required') {
    throw new UnsupportedParameter('tool_choice.mode', 'tool_choice.mode must be auto or required.');
  }
  const allowed = requireList('tool_choice.tools', names).map((item, index) => {
    const path = `tool_choice.tools[${index}]`;
    const name = chosenName(path, requireObject(path, item));
    const tool = tools.find(({ function: each }) => isObject(each) && each.name === name);
    if (tool !== undefined) return tool;
    throw new UnsupportedParameter(path, 'An allowed tool must be one of the tools.');
  });
  if (allowed.length === 0) {
    throw new UnsupportedParameter('tool_choice.tools', 'tool_choice.tools must contain a tool.');
  }
  return { allowed, choice: mode };
}
