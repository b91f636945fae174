import { type Json, UnsupportedParameter } from '../translation';
import { booleanAt, isAbsent, listAt, objectAt, textAt } from '../values';

/** Fields of a tool that change how Anthropic shows or calls it. `cache_control` and its kind change no answer. */
const fieldsWithoutCounterpart = ['input_examples', 'defer_loading', 'allowed_callers'];

/** @returns `tools`, `tool_choice` and `parallel_tool_calls` of a chat request; none when the client has no tools */
export function encodeTools(asked: Json, dropped: Set<string>): Json {
  const tools =
    'tools' in asked
      ? listAt('tools', asked.tools).map((tool, index) => encodeTool(`tools[${index}]`, tool, dropped))
      : [];
  const choice = 'tool_choice' in asked ? objectAt('tool_choice', asked.tool_choice) : undefined;
  if (tools.length === 0) {
    if (choice === undefined || choice.type === 'auto' || choice.type === 'none') return {};
    throw new UnsupportedParameter('tool_choice', 'tool_choice demands a tool, and there are no tools.');
  }
  if (choice === undefined) return { tools };
  const isSerial =
    !isAbsent(choice.disable_parallel_tool_use) &&
    booleanAt('tool_choice.disable_parallel_tool_use', choice.disable_parallel_tool_use);
  return {
    tools,
    tool_choice: encodeChoice(choice),
    ...(isSerial && { parallel_tool_calls: false }),
  };
}

/** Tools with a type of their own (`web_search_20250305`) are run or defined by Anthropic. */
function encodeTool(path: string, value: unknown, dropped: Set<string>): Json {
  const tool = objectAt(path, value);
  if (!isAbsent(tool.type) && tool.type !== 'custom') {
    throw new UnsupportedParameter(
      `${path}.type`,
      'Only custom tools can be expressed for this provider; it has none of Anthropic.',
    );
  }
  for (const field of fieldsWithoutCounterpart) {
    if (!isAbsent(tool[field]) && tool[field] !== false) dropped.add(`tools[].${field}`);
  }
  const { description, strict } = tool;
  return {
    type: 'function',
    function: {
      name: textAt(`${path}.name`, tool.name),
      ...(!isAbsent(description) && { description: textAt(`${path}.description`, description) }),
      parameters: objectAt(`${path}.input_schema`, tool.input_schema),
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
      return { type: 'function', function: { name: textAt('tool_choice.name', choice.name) } };
    default:
      throw new UnsupportedParameter('tool_choice.type', 'tool_choice.type must be auto, any, tool or none.');
  }
}
