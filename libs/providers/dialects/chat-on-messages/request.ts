import { type ClaudeGeneration, claudeGeneration } from '../claude-generation';
import { sortParameters } from '../parameters';
import { type Json, UnsupportedParameter } from '../translation';
import { booleanAt, isAbsent, isObject, listAt, numberAt, objectAt, textAt, wholeNumberAt } from '../values';
import { encodeMessages } from './messages';
import { chatParameters } from './parameters';
import { encodeReasoning } from './reasoning';
import { encodeTools } from './tools';

/**
 * @returns a request for POST /v1/messages of version 2023-06-01, and the names of what is not in it
 * @throws UnsupportedParameter
 */
export function encodeChat(request: Json, upstreamModel: string): { body: Json; dropped: string[] } {
  const { same, translated: asked, dropped } = sortParameters(request, chatParameters);
  const generation = claudeGeneration(upstreamModel);
  const body: Json = {
    model: upstreamModel,
    max_tokens: maxTokens(asked) ?? generation.defaultMaxTokens,
    ...encodeMessages(asked.messages, dropped),
    ...encodeTools(asked),
    ...same,
  };
  if ('stop' in asked) encodeStop(body, asked.stop, dropped);
  if ('stream' in asked && booleanAt('stream', asked.stream)) body.stream = true;
  encodeUser(body, asked, dropped);
  encodeServiceTier(body, asked.service_tier, dropped);
  encodeOutput(body, asked, dropped);
  encodeReasoning(body, asked, generation, dropped);
  encodeSampling(body, asked, generation, dropped);
  return { body, dropped: [...dropped] };
}

function maxTokens(asked: Json): number | undefined {
  const [limit, other] = (['max_completion_tokens', 'max_tokens'] as const)
    .filter((param) => param in asked)
    .map((param) => wholeNumberAt(param, asked[param]));
  if (other === undefined || other === limit) return limit;
  throw new UnsupportedParameter(
    'max_completion_tokens',
    'max_tokens and max_completion_tokens differ; send one of them.',
  );
}

/** Anthropic refuses a request with a stop sequence of blanks alone. */
function encodeStop(body: Json, value: unknown, dropped: Set<string>): void {
  const sequences =
    typeof value === 'string'
      ? [value]
      : listAt('stop', value).map((item, index) => textAt(`stop[${index}]`, item));
  const kept = sequences.filter((sequence) => sequence.trim() !== '');
  if (kept.length < sequences.length) dropped.add('stop');
  if (kept.length > 0) body.stop_sequences = kept;
}

/** There is room for one identifier: the newest of OpenAI's names wins, and one that differs from it is reported. */
function encodeUser(body: Json, asked: Json, dropped: Set<string>): void {
  const metadata = 'metadata' in asked ? objectAt('metadata', asked.metadata) : {};
  const candidates: [string, unknown][] = [
    ['safety_identifier', asked.safety_identifier],
    ['user', asked.user],
    ['metadata.user_id', metadata.user_id],
    ['metadata.user', metadata.user],
  ];
  for (const [path, value] of candidates) {
    if (isAbsent(value)) continue;
    const identifier = textAt(path, value);
    if (body.metadata === undefined) body.metadata = { user_id: identifier };
    else if ((body.metadata as Json).user_id !== identifier) dropped.add(path);
  }
  const others = Object.keys(metadata).filter((key) => key !== 'user_id' && key !== 'user');
  if (others.length > 0) dropped.add('metadata');
}

/** `auto` is Anthropic's default too, and there it already means priority capacity where there is any. */
function encodeServiceTier(body: Json, value: unknown, dropped: Set<string>): void {
  if (value === undefined) return;
  if (textAt('service_tier', value) === 'default') body.service_tier = 'standard_only';
  else dropped.add('service_tier');
}

/** Anthropic always keeps to the schema: `strict` adds nothing. The schema's name is OpenAI's own need. */
function encodeOutput(body: Json, asked: Json, dropped: Set<string>): void {
  if ('output_config' in asked) body.output_config = { ...objectAt('output_config', asked.output_config) };
  if (!('response_format' in asked)) return;
  const format = objectAt('response_format', asked.response_format);
  if (format.type !== 'json_schema') {
    textAt('response_format.type', format.type);
    dropped.add('response_format');
    return;
  }
  const path = 'response_format.json_schema';
  const { schema, description } = objectAt(path, format.json_schema);
  if (!isAbsent(description)) dropped.add(`${path}.description`);
  const output = isObject(body.output_config) ? body.output_config : {};
  if (!isAbsent(output.format)) dropped.add('response_format');
  else
    body.output_config = {
      ...output,
      format: { type: 'json_schema', schema: objectAt(`${path}.schema`, schema) },
    };
}

/**
 * A temperature above 1 is beyond Anthropic's range: left out, it is 1, the nearest that there is. While a model thinks
 * it takes no other temperature, no top_k, and no top_p below 0.95.
 */
function encodeSampling(body: Json, asked: Json, generation: ClaudeGeneration, dropped: Set<string>): void {
  const thinks = isObject(body.thinking) && body.thinking.type !== 'disabled';
  let room: number = generation.samplingParameters;
  if ('temperature' in asked) {
    const temperature = numberAt('temperature', asked.temperature, 0, 2);
    if (room > 0 && !thinks && temperature <= 1) {
      body.temperature = temperature;
      room -= 1;
    } else dropped.add('temperature');
  }
  if ('top_p' in asked) {
    const topP = numberAt('top_p', asked.top_p, 0, 1);
    if (room > 0 && (!thinks || topP >= 0.95)) body.top_p = topP;
    else dropped.add('top_p');
  }
  if ('top_k' in asked) {
    const topK = wholeNumberAt('top_k', asked.top_k);
    if (generation.samplingParameters > 0 && !thinks) body.top_k = topK;
    else dropped.add('top_k');
  }
}
