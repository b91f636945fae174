import { type Json, UnsupportedParameter } from '../translation';
import { isAbsent, isObject, requireBoolean, requireList, requireObject, requireText } from '../values';

/** @returns `tools` and `tool_choice` of Anthropic's request, or neither when the request has no tools */
export function encodeTools(params: Json): { tools?: Json[]; tool_choice?: Json } {
  const tools = 'tools' in params ? requireList('tools', params.tools).map(encodeTool) : [];
  const { allowed, choice } = encodeChoice(params.tool_choice, tools);
  const isSerial =
    'parallel_tool_calls' in params && !requireBoolean('parallel_tool_calls', params.parallel_tool_calls);
  if (tools.length === 0) return {};
  if (!isSerial || choice?.type === 'none') return { tools: allowed, ...(choice && { tool_choice: choice }) };
  return { tools: allowed, tool_choice: { type: 'auto', ...choice, disable_parallel_tool_use: true } };
}

function encodeTool(value: unknown, index: number): Json {
  const path = `tools[${index}]`;
  const tool = requireObject(path, value);
  // OpenAI requires the type, but many servers do not.
  if (tool.type !== 'function' && !(isAbsent(tool.type) && isObject(tool.function))) {
    throw new UnsupportedParameter(`${path}.type`, 'This provider accepts only function tools.');
  }
  const definition = requireObject(`${path}.function`, tool.function);
  const { description, parameters, strict } = definition;
  return {
    name: requireText(`${path}.function.name`, definition.name),
    ...(!isAbsent(description) && { description: requireText(`${path}.function.description`, description) }),
    input_schema: {
      type: 'object',
      ...(isAbsent(parameters)
        ? { properties: {} }
        : requireObject(`${path}.function.parameters`, parameters)),
    },
    ...(strict === true && { strict: true }),
    ...(isObject(tool.cache_control) && { cache_control: tool.cache_control }),
  };
}

/** With `allowed_tools`, the other tools are not sent. */
function encodeChoice(value: unknown, tools: Json[]): { allowed: Json[]; choice?: Json } {
  if (isAbsent(value)) return { allowed: tools };
  if (isObject(value) && isWord(value.type)) return encodeChoice(value.type, tools);
  if (value === 'auto' || value === 'none') return { allowed: tools, choice: { type: value } };
  if (tools.length === 0) {
    throw new UnsupportedParameter(
      'tool_choice',
      'tool_choice requires a tool, but the request has no tools.',
    );
  }
  if (value === 'required') return { allowed: tools, choice: { type: 'any' } };
  const choice = requireObject('tool_choice', value);
  if (choice.type === 'function' || (isAbsent(choice.type) && isObject(choice.function))) {
    const { name } = requireObject('tool_choice.function', choice.function);
    return {
      allowed: tools,
      choice: { type: 'tool', name: requireText('tool_choice.function.name', name) },
    };
  }
  if (choice.type === 'allowed_tools') return encodeAllowed(choice.allowed_tools, tools);
  throw new UnsupportedParameter('tool_choice', 'This tool_choice has no counterpart for this provider.');
}

/** The words for a choice. Some clients send them as the type of an object, like Anthropic's. */
function isWord(value: unknown): boolean {
  return value === 'auto' || value === 'none' || value === 'required';
}

function encodeAllowed(value: unknown, tools: Json[]): { allowed: Json[]; choice: Json } {
  const path = 'tool_choice.allowed_tools';
  const { mode, tools: names } = requireObject(path, value);
  if (mode !== 'auto' && mode !== 'required') {
    throw new UnsupportedParameter(`${path}.mode`, `${path}.mode must be auto or required.`);
  }
  const allowed = requireList(`${path}.tools`, names).map((item, index) => {
    const { function: named } = requireObject(`${path}.tools[${index}]`, item);
    const tool = tools.find(({ name }) => isObject(named) && named.name === name);
    if (tool !== undefined) return tool;
    throw new UnsupportedParameter(`${path}.tools[${index}]`, 'An allowed tool must be one of the tools.');
  });
  if (allowed.length === 0) {
    throw new UnsupportedParameter(`${path}.tools`, `${path}.tools must contain a tool.`);
  }
  return { allowed, choice: { type: mode === 'auto' ? 'auto' : 'any' } };
}
