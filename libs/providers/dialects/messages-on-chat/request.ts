import { hash } from 'node:crypto';
import { type RequestDifferences } from '../../provider';
import { efforts } from '../claude-generation';
import { sortParameters } from '../parameters';
import { type TranslatedRequest, type Json, UnsupportedParameter } from '../translation';
import {
  isAbsent,
  isObject,
  requireBoolean,
  requireList,
  requireNumber,
  requireObject,
  requireText,
  requireWholeNumber,
} from '../values';
import { encodeMessages } from './messages';
import { messagesParameters } from './parameters';
import { encodeTools } from './tools';

/**
 * Makes a request for POST /v1/chat/completions. The limit becomes `max_completion_tokens`, because reasoning models accept no other; the `differences` of a provider that
 * has only `max_tokens` rename it. A stream always requests its usage, because a message's stream must report it.
 *
 * @throws UnsupportedParameter
 */
export function encodeMessagesRequest(
  request: Json,
  upstreamModel: string,
  { thinkingField }: RequestDifferences = {},
): TranslatedRequest {
  const { same, toTranslate: params, dropped } = sortParameters(request, messagesParameters);
  const body: Json = {
    model: upstreamModel,
    messages: encodeMessages(params.system, params.messages, dropped, thinkingField),
    max_completion_tokens: requireWholeNumber('max_tokens', params.max_tokens),
    ...encodeTools(params, dropped),
    ...same,
  };
  if ('temperature' in params) body.temperature = requireNumber('temperature', params.temperature, 0, 1);
  if ('top_p' in params) body.top_p = requireNumber('top_p', params.top_p, 0, 1);
  if ('stop_sequences' in params) {
    body.stop = requireList('stop_sequences', params.stop_sequences).map((item, index) =>
      requireText(`stop_sequences[${index}]`, item),
    );
  }
  if ('stream' in params && requireBoolean('stream', params.stream)) {
    body.stream = true;
    body.stream_options = { include_usage: true };
  }
  if ('metadata' in params) encodeMetadata(body, params.metadata, dropped);
  if ('service_tier' in params) encodeServiceTier(body, params.service_tier);
  encodeFormat(body, params, dropped);
  encodeReasoning(body, params, dropped);
  return { body, dropped: [...dropped], forResponse: { stop_sequences: request.stop_sequences } };
}

function encodeMetadata(body: Json, value: unknown, dropped: Set<string>): void {
  const { user_id: user, ...others } = requireObject('metadata', value);
  if (!isAbsent(user)) body.user = shortUser(requireText('metadata.user_id', user));
  if (Object.keys(others).length > 0) dropped.add('metadata');
}

const longestUser = 64;

/** OpenAI refuses a longer identifier, and those of Claude Code are longer. The same one always becomes the same hash. */
function shortUser(user: string): string {
  return user.length <= longestUser ? user : hash('sha256', user, 'hex');
}

function encodeServiceTier(body: Json, value: unknown): void {
  if (value !== 'standard_only') {
    throw new UnsupportedParameter('service_tier', 'service_tier must be auto or standard_only.');
  }
  body.service_tier = 'default';
}

/** `output_format` is the name that `output_config.format` had before it was generally available. */
function encodeFormat(body: Json, params: Json, dropped: Set<string>): void {
  const config = 'output_config' in params ? requireObject('output_config', params.output_config) : {};
  const others = Object.keys(config).filter((key) => key !== 'format' && key !== 'effort');
  if (others.length > 0) dropped.add('output_config');
  const path = isAbsent(config.format) ? 'output_format' : 'output_config.format';
  const value = config.format ?? params.output_format;
  if (isAbsent(value)) return;
  const format = requireObject(path, value);
  if (format.type !== 'json_schema') {
    throw new UnsupportedParameter(`${path}.type`, `${path}.type must be json_schema.`);
  }
  const schema = requireObject(`${path}.schema`, format.schema);
  body.response_format = { type: 'json_schema', json_schema: { name: 'answer', schema, strict: true } };
}

/** The effort for a budget of at least `from` tokens. chat-on-messages/reasoning.ts is the opposite direction. */
const effortsOfBudgets = [
  { from: 12_288, effort: 'high' },
  { from: 4096, effort: 'medium' },
  { from: 0, effort: 'low' },
] as const;

/** Adaptive thinking without an effort leaves the effort to the model, and so does a request without a parameter. */
function encodeReasoning(body: Json, params: Json, dropped: Set<string>): void {
  const effort = isObject(params.output_config) ? params.output_config.effort : undefined;
  const thinking = 'thinking' in params ? requireObject('thinking', params.thinking) : {};
  if (!isAbsent(effort)) {
    if (!efforts.some((level) => level === effort)) {
      throw new UnsupportedParameter(
        'output_config.effort',
        `output_config.effort must be one of ${efforts.join(', ')}.`,
      );
    }
    body.reasoning_effort = effort;
  } else if (thinking.type === 'enabled') {
    const budget = requireWholeNumber('thinking.budget_tokens', thinking.budget_tokens);
    body.reasoning_effort = effortsOfBudgets.find(({ from }) => budget >= from)?.effort;
  } else if ('thinking' in params && thinking.type !== 'adaptive') dropped.add('thinking');
}
