import { efforts } from '../claude-generation';
import { sortParameters } from '../parameters';
import { type Json, UnsupportedParameter } from '../translation';
import { booleanAt, isAbsent, isObject, listAt, numberAt, objectAt, textAt, wholeNumberAt } from '../values';
import { encodeMessages } from './messages';
import { messagesParameters } from './parameters';
import { encodeTools } from './tools';

/**
 * @returns a request for POST /v1/chat/completions, and the names of what is not in it. The limit is
 *   `max_completion_tokens`, which is all that reasoning models take; a provider that knows only the older name says so
 *   in its `differences`. A stream always asks for the usage: a message cannot end without it.
 * @throws UnsupportedParameter
 */
export function encodeMessagesRequest(
  request: Json,
  upstreamModel: string,
): { body: Json; dropped: string[] } {
  const { same, translated: asked, dropped } = sortParameters(request, messagesParameters);
  const body: Json = {
    model: upstreamModel,
    messages: encodeMessages(asked.system, asked.messages, dropped),
    max_completion_tokens: wholeNumberAt('max_tokens', asked.max_tokens),
    ...encodeTools(asked, dropped),
    ...same,
  };
  if ('temperature' in asked) body.temperature = numberAt('temperature', asked.temperature, 0, 1);
  if ('top_p' in asked) body.top_p = numberAt('top_p', asked.top_p, 0, 1);
  if ('stop_sequences' in asked) {
    body.stop = listAt('stop_sequences', asked.stop_sequences).map((item, index) =>
      textAt(`stop_sequences[${index}]`, item),
    );
  }
  if ('stream' in asked && booleanAt('stream', asked.stream)) {
    body.stream = true;
    body.stream_options = { include_usage: true };
  }
  if ('metadata' in asked) encodeMetadata(body, asked.metadata, dropped);
  if ('service_tier' in asked) encodeServiceTier(body, asked.service_tier);
  encodeFormat(body, asked, dropped);
  encodeReasoning(body, asked, dropped);
  return { body, dropped: [...dropped] };
}

function encodeMetadata(body: Json, value: unknown, dropped: Set<string>): void {
  const { user_id: user, ...others } = objectAt('metadata', value);
  if (!isAbsent(user)) body.user = textAt('metadata.user_id', user);
  if (Object.keys(others).length > 0) dropped.add('metadata');
}

function encodeServiceTier(body: Json, value: unknown): void {
  if (value !== 'standard_only') {
    throw new UnsupportedParameter('service_tier', 'service_tier must be auto or standard_only.');
  }
  body.service_tier = 'default';
}

/** `output_format` is the same at the place where it stood before it was generally available. */
function encodeFormat(body: Json, asked: Json, dropped: Set<string>): void {
  const config = 'output_config' in asked ? objectAt('output_config', asked.output_config) : {};
  const others = Object.keys(config).filter((key) => key !== 'format' && key !== 'effort');
  if (others.length > 0) dropped.add('output_config');
  const path = isAbsent(config.format) ? 'output_format' : 'output_config.format';
  const value = config.format ?? asked.output_format;
  if (isAbsent(value)) return;
  const format = objectAt(path, value);
  if (format.type !== 'json_schema') {
    throw new UnsupportedParameter(`${path}.type`, `${path}.type must be json_schema.`);
  }
  const schema = objectAt(`${path}.schema`, format.schema);
  body.response_format = { type: 'json_schema', json_schema: { name: 'answer', schema, strict: true } };
}

/** Least tokens of a budget -> the effort that it stands for; chat-on-messages/reasoning.ts is the way back. */
const effortsOfBudgets = [
  { from: 12_288, effort: 'high' },
  { from: 4096, effort: 'medium' },
  { from: 0, effort: 'low' },
] as const;

/** An effort says how much; adaptive thinking without one leaves it to the model, which is what no parameter does too. */
function encodeReasoning(body: Json, asked: Json, dropped: Set<string>): void {
  const effort = isObject(asked.output_config) ? asked.output_config.effort : undefined;
  const thinking = 'thinking' in asked ? objectAt('thinking', asked.thinking) : {};
  if (!isAbsent(effort)) {
    if (!efforts.some((level) => level === effort)) {
      throw new UnsupportedParameter(
        'output_config.effort',
        `output_config.effort must be one of ${efforts.join(', ')}.`,
      );
    }
    body.reasoning_effort = effort;
  } else if (thinking.type === 'enabled') {
    const budget = wholeNumberAt('thinking.budget_tokens', thinking.budget_tokens);
    body.reasoning_effort = effortsOfBudgets.find(({ from }) => budget >= from)?.effort;
  } else if ('thinking' in asked && thinking.type !== 'adaptive') dropped.add('thinking');
}
