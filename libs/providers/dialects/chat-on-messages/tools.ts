import { type Json, UnsupportedParameter } from '../translation';
import { booleanAt, isAbsent, isObject, listAt, objectAt, textAt } from '../values';

/** @returns `tools` and `tool_choice` of Anthropic's request; neither when the client has no tools */
export function encodeTools(asked: Json): { tools?: Json[]; tool_choice?: Json } {
  const tools = 'tools' in asked ? listAt('tools', asked.tools).map(encodeTool) : [];
  const { allowed, choice } = encodeChoice(asked.tool_choice, tools);
  const isSerial =
    'parallel_tool_calls' in asked && !booleanAt('parallel_tool_calls', asked.parallel_tool_calls);
  if (tools.length === 0) return {};
  if (!isSerial || choice?.type === 'none') return { tools: allowed, ...(choice && { tool_choice: choice }) };
  return { tools: allowed, tool_choice: { type: 'auto', ...choice, disable_parallel_tool_use: true } };
}

function encodeTool(value: unknown, index: number): Json {
  const path = `tools[${index}]`;
  const tool = objectAt(path, value);
  if (tool.type !== 'function') {
    throw new UnsupportedParameter(`${path}.type`, 'Only function tools can be expressed for this provider.');
  }
  const definition = objectAt(`${path}.function`, tool.function);
  const { description, parameters, strict } = definition;
  return {
    name: textAt(`${path}.function.name`, definition.name),
    ...(!isAbsent(description) && { description: textAt(`${path}.function.description`, description) }),
    input_schema: {
      type: 'object',
      ...(isAbsent(parameters) ? { properties: {} } : objectAt(`${path}.function.parameters`, parameters)),
    },
    ...(strict === true && { strict: true }),
    ...(isObject(tool.cache_control) && { cache_control: tool.cache_control }),
  };
}

/** `allowed_tools` is a choice among some of the tools: the others are not sent. */
function encodeChoice(value: unknown, tools: Json[]): { allowed: Json[]; choice?: Json } {
  if (isAbsent(value)) return { allowed: tools };
  if (value === 'auto' || value === 'none') return { allowed: tools, choice: { type: value } };
  if (tools.length === 0) {
    throw new UnsupportedParameter('tool_choice', 'tool_choice demands a tool, and there are no tools.');
  }
  if (value === 'required') return { allowed: tools, choice: { type: 'any' } };
  const choice = objectAt('tool_choice', value);
  if (choice.type === 'function') {
    const { name } = objectAt('tool_choice.function', choice.function);
    return {
      allowed: tools,
      choice: { type: 'tool', name: textAt('tool_choice.function.name', name) },
    };
  }
  if (choice.type === 'allowed_tools') return encodeAllowed(choice.allowed_tools, tools);
  throw new UnsupportedParameter('tool_choice', 'This tool_choice cannot be expressed for this provider.');
}

function encodeAllowed(value: unknown, tools: Json[]): { allowed: Json[]; choice: Json } {
  const path = 'tool_choice.allowed_tools';
  const { mode, tools: names } = objectAt(path, value);
  if (mode !== 'auto' && mode !== 'required') {
    throw new UnsupportedParameter(`${path}.mode`, `${path}.mode must be auto or required.`);
  }
  const allowed = listAt(`${path}.tools`, names).map((item, index) => {
    const { function: named } = objectAt(`${path}.tools[${index}]`, item);
    const tool = tools.find(({ name }) => isObject(named) && named.name === name);
    if (tool !== undefined) return tool;
    throw new UnsupportedParameter(`${path}.tools[${index}]`, 'An allowed tool must be one of tools.');
  });
  if (allowed.length === 0) {
    throw new UnsupportedParameter(`${path}.tools`, `${path}.tools must name a tool.`);
  }
  return { allowed, choice: { type: mode === 'auto' ? 'auto' : 'any' } };
}
