import { clientNameIn } from '../parameters';
import { type Translation } from '../translation';
import { decodeMessage } from './response';
import { chatParameters } from './parameters';
import { encodeChat } from './request';
import { ChatStream } from './stream';

/**
 * The client uses OpenAI's chat completions, the provider Anthropic's messages. docs/anthropic-dialect.md says what becomes
 * of each parameter, kind of content and field of a response.
 */
export const chatOnMessages: Translation = {
  added: [],
  clientName: (name) => clientNameIn(chatParameters, name),
  encode: encodeChat,
  decode: decodeMessage,
  stream: (context) => new ChatStream(context),
};
