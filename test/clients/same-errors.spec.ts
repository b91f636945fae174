import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import Anthropic from '@anthropic-ai/sdk';
import { ContextOverflowError } from '@langchain/core/errors';
import { ChatOpenAI } from '@langchain/openai';
import { APICallError, generateText } from 'ai';
import OpenAI from 'openai';
import { anthropic, openai, tenkeyOfSpec } from './tenkey';

const messages = [{ role: 'user' as const, content: 'good morning' }];
const waiting = { 'retry-after': '287441', 'x-ratelimit-remaining-requests': '0', 'x-should-retry': 'false' };

/** Name -> status, error and headers, as OpenAI sends them. */
const ofOpenAi = {
  'a context that is too long': [
    400,
    {
      message: "This model's maximum context length is 8192 tokens.",
      type: 'invalid_request_error',
      param: 'messages',
      code: 'context_length_exceeded',
    },
    {},
  ],
  'a content filter': [
    400,
    {
      message: 'The response was filtered.',
      type: null,
      param: 'prompt',
      code: 'content_filter',
      innererror: { content_filter_result: { hate: { filtered: true, severity: 'high' } } },
    },
    {},
  ],
  'a used-up quota': [
    429,
    { message: 'You exceeded it.', type: 'insufficient_quota', param: null, code: 'insufficient_quota' },
    waiting,
  ],
  'a rate limit': [
    429,
    { message: 'Slow down.', type: 'requests', param: null, code: 'rate_limit_exceeded' },
    waiting,
  ],
  'a payment that is required': [
    402,
    { message: 'Pay.', type: 'billing', param: null, code: 'no_money' },
    {},
  ],
  'a model that does not exist': [
    404,
    { message: 'No.', type: 'invalid_request_error', param: null, code: 'model_not_found' },
    {},
  ],
  'a conflict': [409, { message: 'Busy.', type: 'invalid_request_error', param: null, code: 'busy' }, {}],
  'a failure': [500, { message: 'Oh.', type: 'server_error', param: null, code: 'server_error' }, {}],
  'a time-out': [504, { message: 'Late.', type: 'server_error', param: null, code: 'late' }, {}],
} as const satisfies Record<string, readonly [number, object, Record<string, string>]>;
const namesOfOpenAi = Object.keys(ofOpenAi) as (keyof typeof ofOpenAi)[];

/** Name -> status and type, as Anthropic sends them. */
const ofAnthropic = {
  'a faulty request': [400, 'invalid_request_error'],
  'a payment that is required': [402, 'billing_error'],
  'a model that does not exist': [404, 'not_found_error'],
  'a rate limit': [429, 'rate_limit_error'],
  'a failure': [500, 'api_error'],
  'a time-out': [504, 'timeout_error'],
  'an overload': [529, 'overloaded_error'],
} as const;
const namesOfAnthropic = Object.keys(ofAnthropic) as (keyof typeof ofAnthropic)[];

async function thrownBy(call: () => PromiseLike<unknown>): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('through Tenkey, the same error is raised as by the provider itself', () => {
  const tenkey = tenkeyOfSpec();
  const places = () => [
    { base: tenkey.provider.url, headers: {} },
    { base: tenkey.origin, headers: tenkey.headers() },
  ];
  const fail = (name: keyof typeof ofOpenAi) => {
    const [status, error, headers] = ofOpenAi[name];
    tenkey.provider.next({ status, body: { error }, headers: { ...headers } });
  };
  // The status of a failure differs: Tenkey is a gateway (RFC 9110, 15.6.3).
  const kindOf = (status: number | undefined) => (status === 500 || status === 502 ? 'failure' : status);

  it.each(namesOfOpenAi)('openai: %s', async (name) => {
    const seen = [];
    for (const { base, headers } of places()) {
      fail(name);
      const client = new OpenAI({
        apiKey: openai.key,
        baseURL: `${base}/v1`,
        defaultHeaders: headers,
        maxRetries: 0,
      });
      const error = await thrownBy(() => client.chat.completions.create({ model: openai.model, messages }));
      if (!(error instanceof OpenAI.APIError)) throw new Error('no APIError was raised');
      const header = (each: string) => error.headers?.get(each);
      seen.push({
        class: error.constructor.name,
        status: kindOf(error.status),
        code: error.code,
        param: error.param,
        wait: [header('retry-after'), header('x-ratelimit-remaining-requests')],
        innererror: (error.error as { innererror?: unknown }).innererror,
      });
    }
    expect(seen[1]).toEqual(seen[0]);
  });

  it.each(namesOfAnthropic)('@anthropic-ai/sdk: %s', async (name) => {
    const [status, type] = ofAnthropic[name];
    const seen = [];
    for (const { base, headers } of places()) {
      tenkey.provider.next({ status, body: { type: 'error', error: { type, message: 'No.' } } });
      const client = new Anthropic({
        authToken: anthropic.key,
        baseURL: base,
        defaultHeaders: headers,
        maxRetries: 0,
      });
      const error = await thrownBy(() =>
        client.messages.create({ model: anthropic.model, max_tokens: 9, messages }),
      );
      if (!(error instanceof Anthropic.APIError)) throw new Error('no APIError was raised');
      seen.push({ class: error.constructor.name, status: kindOf(error.status), type: error.type });
    }
    expect(seen[1]).toEqual(seen[0]);
  });

  it.each(namesOfOpenAi)('ai: %s', async (name) => {
    const seen = [];
    for (const { base, headers } of places()) {
      fail(name);
      const provider = createOpenAICompatible({
        name: 'tested',
        baseURL: `${base}/v1`,
        apiKey: openai.key,
        headers,
      });
      const error = await thrownBy(() =>
        generateText({ model: provider.chatModel(openai.model), prompt: 'good morning', maxRetries: 0 }),
      );
      if (!APICallError.isInstance(error)) throw new Error('no APICallError was raised');
      seen.push([error.message, kindOf(error.statusCode), error.isRetryable]);
    }
    expect(seen[1]).toEqual(seen[0]);
  });

  it('@langchain/openai: a context that is too long', async () => {
    for (const { base, headers } of places()) {
      fail('a context that is too long');
      const model = new ChatOpenAI({
        model: openai.model,
        apiKey: openai.key,
        maxRetries: 0,
        configuration: { baseURL: `${base}/v1`, defaultHeaders: headers },
      });
      expect(ContextOverflowError.isInstance(await thrownBy(() => model.invoke('good morning')))).toBe(true);
    }
  });
});
