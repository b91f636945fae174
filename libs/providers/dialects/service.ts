import { type Operation, type Provider } from '../provider';
import { chatOnMessages } from './chat-on-messages';
import { messagesOnChat } from './messages-on-chat';
import { type Translation } from './translation';

/** How a provider serves an operation: by one of its own, and through which translation, if any. */
export interface Service {
  readonly operation: Operation;
  readonly translation?: Translation;
}

const translations: readonly { from: Operation; to: Operation; translation: Translation }[] = [
  { from: 'chat/completions', to: 'messages', translation: chatOnMessages },
  { from: 'messages', to: 'chat/completions', translation: messagesOnChat },
];

/** Undefined when the provider has neither the operation nor one that it can be translated to. */
export function serviceOf(provider: Provider, operation: Operation): Service | undefined {
  if (provider.operations.includes(operation)) return { operation };
  const found = translations.find(({ from, to }) => from === operation && provider.operations.includes(to));
  return found && { operation: found.to, translation: found.translation };
}
