import { fixedProviders } from '../registry';
import { chatOnMessages } from './chat-on-messages';
import { messagesOnChat } from './messages-on-chat';
import { serviceOf } from './service';

const providerOf = (id: string) => fixedProviders.find((provider) => provider.id === id)!;

describe('how a provider serves an operation', () => {
  it.each([
    ['openai', 'chat/completions', { operation: 'chat/completions' }],
    ['openai', 'messages', { operation: 'chat/completions', translation: messagesOnChat }],
    ['anthropic', 'messages', { operation: 'messages' }],
    ['anthropic', 'chat/completions', { operation: 'messages', translation: chatOnMessages }],
    ['anthropic', 'embeddings', undefined],
    ['openai', 'responses', { operation: 'responses' }],
  ] as const)('%s serves %s through %j', (id, operation, service) =>
    expect(serviceOf(providerOf(id), operation)).toEqual(service),
  );

  it('is without translation when the provider has the operation', () => {
    for (const provider of fixedProviders) {
      for (const operation of provider.operations)
        expect(serviceOf(provider, operation)).toEqual({ operation });
    }
  });

  it.each([
    ['mistral', 'chat/completions'],
    ['berget', 'chat/completions'],
    ['anthropic', 'messages'],
  ] as const)('%s serves responses, translated to %s', (id, operation) =>
    expect(serviceOf(providerOf(id), 'responses')).toEqual({ operation, translation: expect.anything() }),
  );

  it('serves responses whenever the provider has chat completions or messages', () => {
    for (const provider of fixedProviders) {
      const isCompletion = provider.operations.some((each) =>
        ['chat/completions', 'messages'].includes(each),
      );
      expect([provider.id, serviceOf(provider, 'responses') !== undefined]).toEqual([
        provider.id,
        isCompletion,
      ]);
    }
  });

  it('maps a parameter of the provider to the name that the client uses', () => {
    const cases = [
      [messagesOnChat, 'user', 'metadata'],
      [messagesOnChat, 'parallel_tool_calls', 'tool_choice'],
      [messagesOnChat, 'max_completion_tokens', 'max_tokens'],
      [messagesOnChat, 'seed', 'seed'],
      [chatOnMessages, 'stop_sequences', 'stop'],
      [
        serviceOf(providerOf('mistral'), 'responses')!.translation!,
        'max_completion_tokens',
        'max_output_tokens',
      ],
      [serviceOf(providerOf('mistral'), 'responses')!.translation!, 'verbosity', 'text'],
      [serviceOf(providerOf('mistral'), 'responses')!.translation!, 'messages[].reasoning_content', 'input'],
    ] as const;
    for (const [translation, name, clientName] of cases)
      expect(translation.clientName(name)).toBe(clientName);
  });
});
