import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChatCompletionCreateParams } from 'openai/resources/chat/completions';
import { chatOnMessages } from './chat-on-messages';
import { chatParameters } from './chat-on-messages/parameters';
import { messagesOnChat } from './messages-on-chat';
import { messagesParameters } from './messages-on-chat/parameters';
import { type Parameter, type Parameters } from './parameters';
import { type Translation, UnsupportedParameter } from './translation';

const document = readFileSync(join(__dirname, '../../../docs/anthropic-dialect.md'), 'utf8');

/** The rows of a direction's table of parameters: name, what it becomes, and whether it has harmless values. */
const documented = (direction: string) => {
  const section = document.split(`\n## ${direction}\n`)[1]!.split('\n### ')[1]!;
  return [...section.matchAll(/^\| `(\w+)` *\|([^|]*)\|([^|]*)\|/gm)].map(([, name, becomes, harmless]) => [
    name,
    becomes!.trim(),
    harmless!.trim() !== '',
  ]);
};
const words = (parameter: Parameter) => {
  if (parameter.becomes === 'translated') return `translated to \`${parameter.to}\``;
  return parameter.becomes;
};

/** If a parameter of OpenAI's client is missing from the table, `true` is not of this type. */
type IsComplete = keyof ChatCompletionCreateParams extends keyof typeof chatParameters ? true : never;
const isComplete: IsComplete = true;
it('the table of chat parameters contains every parameter of OpenAI', () => expect(isComplete).toBe(true));

describe.each<[string, Parameters, Translation]>([
  ['Chat completions on messages', chatParameters, chatOnMessages],
  ['Messages on chat completions', messagesParameters, messagesOnChat],
])('docs/anthropic-dialect.md on %s', (direction, parameters, translation) => {
  it('lists the same parameters as the code', () =>
    expect(documented(direction)).toEqual(
      Object.entries(parameters).map(([name, parameter]) => [
        name,
        words(parameter),
        parameter.harmless !== undefined,
      ]),
    ));

  const needed = { max_tokens: 7, messages: [{ role: 'user', content: 'Hi' }] };
  const encode = (name: string, value: unknown) => {
    try {
      return translation.encode({ ...needed, [name]: value }, 'claude-sonnet-4-5');
    } catch (error) {
      if (error instanceof UnsupportedParameter) return error.param;
      throw error;
    }
  };
  const without = translation.encode(needed, 'claude-sonnet-4-5');

  it.each(Object.entries(parameters).filter(([name]) => name !== 'model'))(
    'describes what becomes of %s',
    (name, { becomes }) => {
      // 5 is not the default of any parameter and invalid for most, so a parameter that is read is sent or refused.
      const encoded = encode(name, 5);
      if (becomes === 'left out') expect(encoded).toEqual(without);
      else if (becomes === 'dropped') expect(encoded).toEqual({ ...without, dropped: [name] });
      else if (becomes === 'refused') expect(encoded).toBe(name);
      else if (becomes === 'same')
        expect(encoded).toEqual({ body: { ...without.body, [name]: 5 }, dropped: [] });
      else expect(encoded).not.toEqual(without);
    },
  );
});
