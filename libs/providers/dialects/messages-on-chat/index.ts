import { clientNameIn } from '../parameters';
import { type Translation } from '../translation';
import { decodeChatCompletion } from './response';
import { messagesParameters } from './parameters';
import { encodeMessagesRequest } from './request';
import { MessageStream } from './stream';

/**
 * The client uses Anthropic's messages, the provider OpenAI's chat completions. docs/anthropic-dialect.md says what becomes
 * of each parameter, kind of content and field of a response.
 */
export const messagesOnChat: Translation = {
  added: ['stream_options'],
  clientName: (name) => clientNameIn(messagesParameters, name),
  encode: encodeMessagesRequest,
  decode: decodeChatCompletion,
  stream: (context) => new MessageStream(context),
};
