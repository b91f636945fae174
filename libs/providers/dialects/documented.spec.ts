import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChatCompletionCreateParams } from 'openai/resources/chat/completions';
import { type ResponseCreateParams } from 'openai/resources/responses/responses';
import { chatOnMessages } from './chat-on-messages';
import { chatParameters } from './chat-on-messages/parameters';
import { messagesOnChat } from './messages-on-chat';
import { messagesParameters } from './messages-on-chat/parameters';
import { type Parameter, type Parameters } from './parameters';
import { responsesOnChat } from './responses-on-chat';
import { fieldsOfItems } from './responses-on-chat/input';
import { responsesParameters } from './responses-on-chat/parameters';
import { serverTools } from './responses-on-chat/tools';
import { type Json, type Translation, UnsupportedParameter } from './translation';

const textOf = (page: string) => readFileSync(join(__dirname, '../../../docs', page), 'utf8');

/** The rows of the first table below a heading: name of a parameter, what it becomes, and whether it has harmless values. */
const documented = (page: string, heading: string) => {
  const section = textOf(page).split(`\n## ${heading}\n`)[1]!.split('\n### Content')[0]!.split('\n## ')[0]!;
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
type IsComplete<Given, Table> = keyof Given extends keyof Table ? true : never;
const isComplete: [
  IsComplete<ChatCompletionCreateParams, typeof chatParameters>,
  IsComplete<ResponseCreateParams, typeof responsesParameters>,
] = [true, true];
it('the tables contain every parameter of OpenAI', () => expect(isComplete).toEqual([true, true]));

it('docs/responses-dialect.md names every type of item that is translated, and every tool that is refused', () => {
  const page = textOf('responses-dialect.md');
  const types = [...Object.keys(fieldsOfItems), ...serverTools];
  expect(types.filter((type) => !page.includes(`\`${type}\``))).toEqual([]);
});

const anthropicPage = 'anthropic-dialect.md';
describe.each<[string, string, Parameters, Translation]>([
  [anthropicPage, 'Chat completions on messages', chatParameters, chatOnMessages],
  [anthropicPage, 'Messages on chat completions', messagesParameters, messagesOnChat],
  ['responses-dialect.md', 'Parameters', responsesParameters, responsesOnChat],
])('docs/%s on %s', (page, heading, parameters, translation) => {
  it('lists the same parameters as the code', () =>
    expect(documented(page, heading)).toEqual(
      Object.entries(parameters).map(([name, parameter]) => [
        name,
        words(parameter),
        parameter.harmless !== undefined,
      ]),
    ));

  const needed =
    page === anthropicPage ? { max_tokens: 7, messages: [{ role: 'user', content: 'Hi' }] } : { input: 'Hi' };
  const encoded = (request: Json) => {
    const { body, dropped } = translation.encode(request, 'claude-sonnet-4-5');
    return { body, dropped };
  };
  const encode = (name: string, value: unknown) => {
    try {
      return encoded({ ...needed, [name]: value });
    } catch (error) {
      if (error instanceof UnsupportedParameter) return error.param;
      throw error;
    }
  };
  const without = encoded(needed);

  it.each(Object.entries(parameters).filter(([name]) => name !== 'model'))(
    'describes what becomes of %s',
    (name, { becomes }) => {
      // 5 is not the default of any parameter and invalid for most, so a parameter that is read is sent or refused.
      const result = encode(name, 5);
      if (becomes === 'left out') expect(result).toEqual(without);
      else if (becomes === 'dropped') expect(result).toEqual({ ...without, dropped: [name] });
      else if (becomes === 'refused') expect(result).toBe(name);
      else if (becomes === 'same')
        expect(result).toEqual({ body: { ...without.body, [name]: 5 }, dropped: [] });
      else expect(result).not.toEqual(without);
    },
  );
});
