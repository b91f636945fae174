import fc from 'fast-check';
import { platformKey } from '../app';
import { asPlatform, json, messages, textOf, type Input, type Header, type Ingredients } from './ingredients';

/** Calls, each wrong in a field or a form. */
export function callInputs(tenant: string, given: Ingredients) {
  const {
    one,
    odd,
    long,
    deep,
    noText,
    noObject,
    brokenJson,
    bodyWith,
    field,
    unknownId,
    request,
    caller,
    callPath,
    oddHeader,
  } = given;

  const badModel = field(
    'model',
    noText,
    odd.map(textOf),
    long.map(textOf),
    one('null', '""', '"gpt-4o "', '"GPT-4O"'),
  );
  const calls = fc.oneof(
    request('POST', callPath, caller, fc.oneof(bodyWith({ messages }, badModel), noObject, brokenJson)),
    // A repeated model, in another spelling: each provider chooses which one it reads.
    request(
      'POST',
      '/v1/chat/completions',
      caller,
      one('"model"', '"m\\u006fdel"').map((key) => `{"model":"gpt-4o","messages":[],${key}:"gpt-4o"}`),
    ),
    request(
      'POST',
      '/v1/chat/completions',
      caller,
      fc.constant('{"model":"text-embedding-3-small","messages":[]}'),
    ),
    request(
      'POST',
      '/v1/embeddings',
      caller,
      one('gpt-4o', 'claude-sonnet').map((model) => textOf({ model, input: 'a' })),
    ),
    // Content that Anthropic's format cannot express.
    request(
      'POST',
      '/v1/chat/completions',
      caller,
      fc.oneof(
        bodyWith(
          { model: 'claude-sonnet' },
          field('messages', noText, odd.map(textOf), one('[]', '[null]', '[{}]')),
        ),
        bodyWith(
          { model: 'claude-sonnet', messages },
          fc.oneof(
            ...['temperature', 'top_p', 'max_tokens'].map((key) =>
              field(key, odd.map(textOf), one('-1', '1.5', '[]')),
            ),
            ...['stop', 'user'].map((key) => field(key, one('5', '[5]', '{}', 'true'), deep)),
            field('tools', deep, odd.map(textOf)),
            fc.tuple(odd, deep),
          ),
        ),
      ),
    ),
    request(
      one('GET', 'POST'),
      one('/v1/models', '/v1/chat/completions', '/v1/embeddings'),
      [...json, ['x-api-key', platformKey]],
      fc.constant(undefined),
    ),
    // Forms: not a form, without a model, with an unknown model, with a second model, truncated.
    fc
      .record({
        head: fc.oneof(one('name="model"', 'name=file; filename=a.wav', 'name=model; filename=m', ''), odd),
        value: odd,
        end: one('\r\n--x--\r\n', '\r\n--x', '', '\r\n--x\r\n\r\n'),
        path: one(
          '/v1/audio/transcriptions',
          '/v1/audio/transcriptions',
          '/v1/chat/completions',
          '/v1/embeddings',
        ),
        type: one(
          'multipart/form-data; boundary=x',
          'multipart/form-data',
          'Multipart/Form-Data; boundary="x"',
        ),
      })
      .map(({ head, value, end, path, type }) => ({
        method: 'POST',
        path,
        headers: [...asPlatform(tenant), ['content-type', type]] as readonly Header[],
        body: Buffer.from(`--x\r\nContent-Disposition: form-data; ${head}\r\n\r\n${value}${end}`),
      })),
    request('POST', '/v1/audio/transcriptions', caller, fc.oneof(noObject, brokenJson)),
    fc.tuple(oddHeader(), callPath, brokenJson).map(([value, path, body]) => ({
      method: 'POST',
      path,
      headers: [...json, ['x-api-key', platformKey], ['x-tenant-id', value]] as const,
      body,
    })),
    fc.tuple(unknownId, callPath).map(([value, path]) => ({
      method: 'POST',
      path,
      headers: [...json, ...asPlatform(value)],
      body: textOf({ model: 'gpt-4o', messages }),
    })),
    fc.constant<Input>({
      method: 'GET',
      path: '/v1/models',
      headers: [...asPlatform(tenant), ['x-tenant-id', tenant]],
    }),
  );

  return { calls };
}
