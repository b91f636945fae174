import { clientNameIn } from '../parameters';
import { type Translation } from '../translation';
import { responsesParameters } from './parameters';
import { encodeResponses } from './request';
import { decodeCompletion } from './response';
import { ResponseStream } from './stream';

/**
 * The client uses OpenAI's responses, the provider chat completions. docs/responses-dialect.md says what becomes of each
 * parameter, kind of item and field of a response.
 */
export const responsesOnChat: Translation = {
  added: ['stream_options'],
  clientName: (name) => clientNameIn(responsesParameters, name),
  encode: encodeResponses,
  decode: decodeCompletion,
  stream: (context) => new ResponseStream(context),
};
