import { type ClaudeGeneration, claudeGeneration } from '../claude-generation';
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
import { chatParameters } from './parameters';
import { encodeReasoning } from './reasoning';
import { encodeTools } from './tools';

/**
 * Makes a request for POST /v1/messages of version 2023-06-01.
 * @throws UnsupportedParameter
 */
export function encodeChat(request: Json, upstreamModel: string): TranslatedRequest {
  const { same, toTranslate: params, dropped } = sortParameters(request, chatParameters);
  const generation = claudeGeneration(upstreamModel);
  const body: Json = {
    model: upstreamModel,
    max_tokens: maxTokens(params) ?? generation.defaultMaxTokens,
    ...encodeMessages(params.messages, dropped),
    ...encodeTools(params),
    ...same,
  };
  if ('stop' in params) encodeStop(body, params.stop, dropped);
  if ('stream' in params && requireBoolean('stream', params.stream)) body.stream = true;
  encodeUser(body, params, dropped);
  encodeServiceTier(body, params.service_tier, dropped);
  encodeOutput(body, params, dropped);
  encodeReasoning(body, params, generation, dropped);
  encodeSampling(body, params, generation, dropped);
  return { body, dropped: [...dropped], forResponse: { stream_options: request.stream_options } };
}

function maxTokens(params: Json): number | undefined {
  const [limit, other] = (['max_completion_tokens', 'max_tokens'] as const)
    .filter((param) => param in params)
    .map((param) => requireWholeNumber(param, params[param]));
  if (other === undefined || other === limit) return limit;
  throw new UnsupportedParameter(
    'max_completion_tokens',
    'max_tokens and max_completion_tokens differ; send one of them.',
  );
}

/** Drops stop sequences that consist of whitespace, because Anthropic refuses them. */
function encodeStop(body: Json, value: unknown, dropped: Set<string>): void {
  const sequences =
    typeof value === 'string'
      ? [value]
      : requireList('stop', value).map((item, index) => requireText(`stop[${index}]`, item));
  const kept = sequences.filter((sequence) => sequence.trim() !== '');
  if (kept.length < sequences.length) dropped.add('stop');
  if (kept.length > 0) body.stop_sequences = kept;
}

/** Anthropic has one identifier. The newest of OpenAI's names takes precedence; any that differ from it are dropped. */
function encodeUser(body: Json, params: Json, dropped: Set<string>): void {
  const metadata = 'metadata' in params ? requireObject('metadata', params.metadata) : {};
  const candidates: [string, unknown][] = [
    ['safety_identifier', params.safety_identifier],
    ['user', params.user],
    ['metadata.user_id', metadata.user_id],
    ['metadata.user', metadata.user],
  ];
  for (const [path, value] of candidates) {
    if (isAbsent(value)) continue;
    const identifier = requireText(path, value);
    if (body.metadata === undefined) body.metadata = { user_id: identifier };
    else if ((body.metadata as Json).user_id !== identifier) dropped.add(path);
  }
  const others = Object.keys(metadata).filter((key) => key !== 'user_id' && key !== 'user');
  if (others.length > 0) dropped.add('metadata');
}

/** `auto` needs no translation: it is Anthropic's default, which uses priority capacity if the account has any. */
function encodeServiceTier(body: Json, value: unknown, dropped: Set<string>): void {
  if (value === undefined) return;
  if (requireText('service_tier', value) === 'default') body.service_tier = 'standard_only';
  else dropped.add('service_tier');
}

/** The schema's name and `strict` are left out: Anthropic needs no name and always follows the schema. */
function encodeOutput(body: Json, params: Json, dropped: Set<string>): void {
  if ('output_config' in params)
    body.output_config = { ...requireObject('output_config', params.output_config) };
  if (!('response_format' in params)) return;
  const format = requireObject('response_format', params.response_format);
  if (format.type !== 'json_schema') {
    requireText('response_format.type', format.type);
    dropped.add('response_format');
    return;
  }
  const path = 'response_format.json_schema';
  const { schema, description } = requireObject(path, format.json_schema);
  if (!isAbsent(description)) dropped.add(`${path}.description`);
  const output = isObject(body.output_config) ? body.output_config : {};
  if (!isAbsent(output.format)) dropped.add('response_format');
  else
    body.output_config = {
      ...output,
      format: { type: 'json_schema', schema: requireObject(`${path}.schema`, schema) },
    };
}

/**
 * A temperature above 1 is dropped, because Anthropic's maximum is 1, which is also its default. With thinking, Anthropic
 * accepts no other temperature, no top_k, and no top_p below 0.95.
 */
function encodeSampling(body: Json, params: Json, generation: ClaudeGeneration, dropped: Set<string>): void {
  const thinks = isObject(body.thinking) && body.thinking.type !== 'disabled';
  let remaining: number = generation.samplingParameters;
  if ('temperature' in params) {
    const temperature = requireNumber('temperature', params.temperature, 0, 2);
    if (remaining > 0 && !thinks && temperature <= 1) {
      body.temperature = temperature;
      remaining -= 1;
    } else dropped.add('temperature');
  }
  if ('top_p' in params) {
    const topP = requireNumber('top_p', params.top_p, 0, 1);
    if (remaining > 0 && (!thinks || topP >= 0.95)) body.top_p = topP;
    else dropped.add('top_p');
  }
  if ('top_k' in params) {
    const topK = requireWholeNumber('top_k', params.top_k);
    if (generation.samplingParameters > 0 && !thinks) body.top_k = topK;
    else dropped.add('top_k');
  }
}
