import { type Operation, type Provider } from '../provider';
import { chatOnMessages } from './chat-on-messages';
import { messagesOnChat } from './messages-on-chat';
import { type Translation } from './translation';

/** The operation of the provider that serves a client's operation, and the translation between the two, if they differ. */
interface Service {
  readonly operation: Operation;
  readonly translation?: Translation;
}

const translations: readonly { from: Operation; to: Operation; translation: Translation }[] = [
  { from: 'chat/completions', to: 'messages', translation: chatOnMessages },
  { from: 'messages', to: 'chat/completions', translation: messagesOnChat },
];

/** @returns undefined when the provider has neither the operation nor one to which it can be translated */
export function serviceOf(provider: Provider, operation: Operation): Service | undefined {
  if (provider.operations.includes(operation)) return { operation };
  const translated = translations.find(
    ({ from, to }) => from === operation && provider.operations.includes(to),
  );
  return translated && { operation: translated.to, translation: translated.translation };
}
