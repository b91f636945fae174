import { type Operation, type Provider } from '../provider';
import { chatOnMessages } from './chat-on-messages';
import { composed } from './composition';
import { messagesOnChat } from './messages-on-chat';
import { responsesOnChat } from './responses-on-chat';
import { type Translation } from './translation';

/** The operation of the provider that serves a client's operation, and the translation between the two, if they differ. */
interface Service {
  readonly operation: Operation;
  readonly translation?: Translation;
}

/** Of several for the same operation, the first that the provider has is used. */
const translations: readonly { from: Operation; to: Operation; translation: Translation }[] = [
  { from: 'chat/completions', to: 'messages', translation: chatOnMessages },
  { from: 'messages', to: 'chat/completions', translation: messagesOnChat },
  { from: 'responses', to: 'chat/completions', translation: responsesOnChat },
  {
    from: 'responses',
    to: 'messages',
    translation: composed(responsesOnChat, chatOnMessages, { thinkingField: 'thinking_blocks' }),
  },
];

/** @returns undefined when the provider has neither the operation nor one to which it can be translated */
export function serviceOf(provider: Provider, operation: Operation): Service | undefined {
  if (provider.operations.includes(operation)) return { operation };
  const translated = translations.find(
    ({ from, to }) => from === operation && provider.operations.includes(to),
  );
  return translated && { operation: translated.to, translation: translated.translation };
}
