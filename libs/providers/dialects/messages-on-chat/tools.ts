import { type Json, UnsupportedParameter } from '../translation';
import { isAbsent, requireBoolean, requireList, requireObject, requireText } from '../values';

/** Fields that change how Anthropic's models see or call a tool. Other fields, such as `cache_control`, change no response. */
const fieldsWithoutCounterpart = ['input_examples', 'defer_loading', 'allowed_callers'];

/** @returns `tools`, `tool_choice` and `parallel_tool_calls` of OpenAI's request, or none when the request has no tools */
export function encodeTools(params: Json, dropped: Set<string>): Json {
  const tools =
    'tools' in params
      ? requireList('tools', params.tools).map((tool, index) => encodeTool(`tools[${index}]`, tool, dropped))
      : [];
  const choice = 'tool_choice' in params ? requireObject('tool_choice', params.tool_choice) : undefined;
  if (tools.length === 0) {
    if (choice === undefined || choice.type === 'auto' || choice.type === 'none') return {};
    throw new UnsupportedParameter(
      'tool_choice',
      'tool_choice requires a tool, but the request has no tools.',
    );
  }
  if (choice === undefined) return { tools };
  const isSerial =
    !isAbsent(choice.disable_parallel_tool_use) &&
    requireBoolean('tool_choice.disable_parallel_tool_use', choice.disable_parallel_tool_use);
  return {
    tools,
    tool_choice: encodeChoice(choice),
    ...(isSerial && { parallel_tool_calls: false }),
  };
}

/** Anthropic defines or executes tools with another type, such as `web_search_20250305`. */
function encodeTool(path: string, value: unknown, dropped: Set<string>): Json {
  const tool = requireObject(path, value);
  if (!isAbsent(tool.type) && tool.type !== 'custom') {
    throw new UnsupportedParameter(
      `${path}.type`,
      'This provider accepts only custom tools; it does not have those of Anthropic.',
    );
  }
  for (const field of fieldsWithoutCounterpart) {
    if (!isAbsent(tool[field]) && tool[field] !== false) dropped.add(`tools[].${field}`);
  }
  const { description, strict } = tool;
  return {
    type: 'function',
    function: {
      name: requireText(`${path}.name`, tool.name),
      ...(!isAbsent(description) && { description: requireText(`${path}.description`, description) }),
      parameters: requireObject(`${path}.input_schema`, tool.input_schema),
      ...(strict === true && { strict: true }),
    },
  };
}

function encodeChoice(choice: Json): string | Json {
  switch (choice.type) {
    case 'auto':
    case 'none':
      return choice.type;
    case 'any':
      return 'required';
    case 'tool':
      return { type: 'function', function: { name: requireText('tool_choice.name', choice.name) } };
    default:
      throw new UnsupportedParameter('tool_choice.type', 'tool_choice.type must be auto, any, tool or none.');
  }
}
