import { providers } from '../registry';
import { chatOnMessages } from './chat-on-messages';
import { messagesOnChat } from './messages-on-chat';
import { serviceOf } from './service';

const providerOf = (id: string) => providers.find((provider) => provider.id === id)!;

describe('how a provider serves an operation', () => {
  it.each([
    ['openai', 'chat/completions', { operation: 'chat/completions' }],
    ['openai', 'messages', { operation: 'chat/completions', translation: messagesOnChat }],
    ['anthropic', 'messages', { operation: 'messages' }],
    ['anthropic', 'chat/completions', { operation: 'messages', translation: chatOnMessages }],
    ['anthropic', 'embeddings', undefined],
  ] as const)('%s serves %s by %j', (id, operation, service) =>
    expect(serviceOf(providerOf(id), operation)).toEqual(service),
  );

  it('is its own operation wherever it has that', () => {
    for (const provider of providers) {
      for (const operation of provider.operations)
        expect(serviceOf(provider, operation)).toEqual({ operation });
    }
  });

  it('calls what the provider refuses by the name that the client gave it', () => {
    const cases = [
      [messagesOnChat, 'user', 'metadata'],
      [messagesOnChat, 'parallel_tool_calls', 'tool_choice'],
      [messagesOnChat, 'max_completion_tokens', 'max_tokens'],
      [messagesOnChat, 'seed', 'seed'],
      [chatOnMessages, 'stop_sequences', 'stop'],
    ] as const;
    for (const [translation, theirs, ours] of cases) expect(translation.clientName(theirs)).toBe(ours);
  });
});
