import { type RequestDifferences } from '../../provider';
import { clientNameIn, sortParameters } from '../parameters';
import { type Json, type TranslatedRequest, UnsupportedParameter } from '../translation';
import {
  isAbsent,
  requireBoolean,
  requireList,
  requireObject,
  requireText,
  requireWholeNumber,
  safeName,
} from '../values';
import { encodeInput } from './input';
import { responsesParameters } from './parameters';
import { encodeEffort } from './reasoning';
import { repeatedOf } from './repeated';
import { encodeTools } from './tools';

/**
 * Makes a request for POST /v1/chat/completions. A stream always requests its usage, because a response ends with it.
 * @throws UnsupportedParameter
 */
export function encodeResponses(
  request: Json,
  upstreamModel: string,
  { thinkingField }: RequestDifferences = {},
): TranslatedRequest {
  const { same, toTranslate: params, dropped } = sortParameters(request, responsesParameters);
  const { messages, origins } = encodeInput(params.instructions, params.input, thinkingField, dropped);
  const { fields, clientTools } = encodeTools(params, dropped);
  const body: Json = { model: upstreamModel, messages, ...fields, ...same };
  if ('max_output_tokens' in params) {
    body.max_completion_tokens = requireWholeNumber('max_output_tokens', params.max_output_tokens);
  }
  if ('text' in params) Object.assign(body, encodeText(params.text, dropped));
  if ('reasoning' in params) Object.assign(body, encodeEffort(params.reasoning, dropped));
  encodeLogprobs(body, params, dropped);
  if ('stream' in params && requireBoolean('stream', params.stream)) {
    body.stream = true;
    body.stream_options = { include_usage: true };
  }
  const forResponse = { repeated: repeatedOf(request), clientTools };
  return { body, dropped: [...dropped], forResponse, clientPath: (path) => clientPathOf(path, origins) };
}

/** @param origins for each message, the path of the item that it was made of */
function clientPathOf(path: string, origins: readonly string[]): string {
  const [, index, part = ''] = /^messages\[(\d+)\](\.content\[\d+\])?/.exec(path) ?? [];
  const origin = origins[Number(index)];
  if (origin === undefined) return clientNameIn(responsesParameters, path);
  // The parts of a message are those of the item, but a tool's result is divided.
  return origin.endsWith('.output') ? origin : origin + part;
}

/** `verbosity` medium is what happens anyway. */
function encodeText(value: unknown, dropped: Set<string>): Json {
  const { format, verbosity, ...others } = requireObject('text', value);
  for (const name of Object.keys(others)) if (!isAbsent(others[name])) dropped.add(`text.${safeName(name)}`);
  return {
    ...(isAbsent(format) ? {} : encodeFormat(requireObject('text.format', format))),
    ...(!isAbsent(verbosity) && verbosity !== 'medium'
      ? { verbosity: requireText('text.verbosity', verbosity) }
      : {}),
  };
}

function encodeFormat(format: Json): Json {
  switch (format.type) {
    case 'text':
      return {};
    case 'json_object':
      return { response_format: { type: 'json_object' } };
    case 'json_schema': {
      const { name, description, strict } = format;
      const json_schema = {
        name: requireText('text.format.name', name),
        ...(!isAbsent(description) && { description: requireText('text.format.description', description) }),
        schema: requireObject('text.format.schema', format.schema),
        ...(!isAbsent(strict) && { strict: requireBoolean('text.format.strict', strict) }),
      };
      return { response_format: { type: 'json_schema', json_schema } };
    }
    default:
      throw new UnsupportedParameter(
        'text.format.type',
        'text.format.type must be text, json_schema or json_object.',
      );
  }
}

/** OpenAI returns log probabilities only when `include` requests them. What else it can request comes from OpenAI's own tools. */
function encodeLogprobs(body: Json, params: Json, dropped: Set<string>): void {
  const included = 'include' in params ? requireList('include', params.include) : [];
  const isRequested = included.includes('message.output_text.logprobs');
  if (
    included.some((each) => each !== 'message.output_text.logprobs' && each !== 'reasoning.encrypted_content')
  ) {
    dropped.add('include');
  }
  if (isRequested) body.logprobs = true;
  if (!('top_logprobs' in params)) return;
  if (isRequested) body.top_logprobs = params.top_logprobs;
  else dropped.add('top_logprobs');
}
