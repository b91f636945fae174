import { clientNameIn } from '../parameters';
import { type Translation } from '../translation';
import { decodeMessage } from './response';
import { chatParameters } from './parameters';
import { encodeChat } from './request';
import { ChatStream } from './stream';

/**
 * The client speaks OpenAI's chat completions, the provider Anthropic's messages.
 * docs/anthropic-dialect.md says of every parameter, kind of content and field of an answer what becomes of it.
 */
export const chatOnMessages: Translation = {
  added: [],
  clientName: (name) => clientNameIn(chatParameters, name),
  encode: encodeChat,
  decode: decodeMessage,
  stream: (context) => new ChatStream(context),
};
