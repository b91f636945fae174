import { clientNameIn } from '../parameters';
import { type Translation } from '../translation';
import { responsesParameters } from './parameters';
import { type ReasoningField } from './reasoning';
import { encodeResponses } from './request';
import { decodeCompletion } from './response';
import { ResponseStream } from './stream';

/**
 * The client uses OpenAI's responses, the provider chat completions. docs/responses-dialect.md says what becomes of each
 * parameter, kind of item and field of a response.
 *
 * @param field how the provider's chat completions have the reasoning of earlier turns
 */
export function responsesOnChat(field: ReasoningField): Translation {
  return {
    added: ['stream_options'],
    clientName: (name) => clientNameIn(responsesParameters, name),
    encode: (request, upstreamModel) => encodeResponses(request, upstreamModel, field),
    decode: decodeCompletion,
    stream: (context) => new ResponseStream(context),
  };
}
