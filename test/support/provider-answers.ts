import {
  answerTo,
  data,
  type DialectOfPath,
  errorBody,
  named,
  type ProviderAnswer,
  type ProviderRequest,
  whole,
  words,
} from './answer-parts';
import { audioAnswer, newId, ProviderMemory } from './provider-responses';

/** Responses of providers, in their published formats. The text of a response is `echo: ` and the last message. */

/** The response of the API unless a test sets another one. */
export function usualAnswer(
  request: ProviderRequest,
  dialect: DialectOfPath,
  memory = new ProviderMemory(),
): ProviderAnswer {
  const remembered = memory.answer(request);
  if (remembered !== undefined) return remembered;
  const { path, method } = request;
  const isAzure = dialect === 'azure';
  const answers: [string, RegExp, () => ProviderAnswer][] = [
    ['GET', /\/models$/, () => whole({ object: 'list', data: [{ id: 'test-model', object: 'model' }] })],
    ['POST', /\/embeddings$/, () => whole(embeddings(request.body))],
    ['POST', /\/chat\/completions$/, () => chat(request.body, isAzure)],
    ['POST', /\/completions$/, () => completion(request.body)],
    ['POST', /\/messages$/, () => message(request.body)],
    ['POST', /\/messages\/count_tokens$/, () => whole({ input_tokens: 3 })],
    ['POST', /\/audio\/(transcriptions|translations)$/, () => transcription(request.form ?? {})],
    ['POST', /\/audio\/speech$/, () => ({ status: 200, body: sound, type: 'audio/mpeg' })],
    [
      'POST',
      /\/images\/(generations|edits)$/,
      () => whole({ created: 1, data: [{ b64_json: 'iVBORw0KGgo=' }] }),
    ],
    ['POST', /\/rerank$/, () => whole(ranking(request))],
    ['POST', /\/moderations$/, () => whole(moderation(request.body))],
  ];
  const found = answers.find(([verb, pattern]) => verb === method && pattern.test(path));
  return (
    found?.[2]() ?? {
      status: 404,
      body: errorBody(dialect, 404, `Unknown request URL: ${method} ${path}.`),
    }
  );
}

/** Every byte value, several times, so that a test notices any change to the bytes. */
export const sound = Buffer.from(Array.from({ length: 256 * 400 }, (_, index) => index % 256));

/** These numbers are exact in 32 bits, so that both formats give the same ones. */
export const vector = [0.125, -0.5, 0.75];

/** Little-endian 32-bit floats. */
const base64Of = (numbers: readonly number[]) =>
  Buffer.from(new Float32Array(numbers).buffer).toString('base64');

function embeddings(body: any): object {
  const inputs: unknown[] = [body?.input ?? ''].flat();
  const embedding = body?.encoding_format === 'base64' ? base64Of(vector) : vector;
  const data = inputs.map((_, index) => ({ object: 'embedding', index, embedding }));
  const usage = { prompt_tokens: inputs.length, total_tokens: inputs.length };
  // OpenAI's response has no id. Mistral's and vLLM's have one.
  const id = /^(mistral|intfloat)/.test(body?.model ?? '') ? { id: 'embd-test' } : {};
  return { ...id, object: 'list', data, model: body?.model ?? 'deployment', usage };
}

const filterResults = { hate: { filtered: false, severity: 'safe' } };
const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };

/** Calls the first tool when there are tools and none has a result yet. */
function chat(body: any, isAzure: boolean): ProviderAnswer {
  const audio = audioAnswer(body);
  if (audio !== undefined) return audio;
  const model: string = body?.model ?? 'deployment';
  const last = body?.messages?.at?.(-1);
  const tool = last?.role === 'tool' ? undefined : body?.tools?.[0]?.function?.name;
  const content = tool ? null : answerTo(last?.content, /^json_/.test(body?.response_format?.type ?? ''));
  const call = { id: 'call_test', type: 'function', function: { name: tool, arguments: '{"city":"Umeå"}' } };
  const finish_reason = tool ? 'tool_calls' : 'stop';
  if (body?.stream !== true) {
    const message = { role: 'assistant', content, ...(tool && { tool_calls: [call] }) };
    const choice = { index: 0, message, finish_reason };
    return whole({
      id: 'chatcmpl-test',
      object: 'chat.completion',
      created: 1_700_000_000,
      model,
      choices: [isAzure ? { ...choice, content_filter_results: filterResults } : choice],
      usage,
      ...(isAzure && {
        prompt_filter_results: [{ prompt_index: 0, content_filter_results: filterResults }],
      }),
      unknown_field: { kept: true },
    });
  }
  const isAsked = asksForUsage(body);
  const event = (fields: object) =>
    data({
      id: 'chatcmpl-test',
      object: 'chat.completion.chunk',
      created: 1_700_000_000,
      model,
      ...(isAsked && { usage: null }),
      ...fields,
    });
  const part = (delta: object, reason: string | null = null) =>
    event({ choices: [{ index: 0, delta, finish_reason: reason }], unknown_field: { kept: true } });
  const called = (fields: object) => part({ tool_calls: [{ index: 0, ...fields }] });
  const prompt_filter_results = [{ prompt_index: 0, content_filter_results: filterResults }];
  return {
    events: [
      ...(isAzure ? [event({ choices: [], prompt_filter_results })] : []),
      part({ role: 'assistant', content: tool ? null : '' }),
      ...(tool
        ? [
            called({ ...call, function: { name: tool, arguments: '' } }),
            called({ function: { arguments: '{"city":' } }),
            called({ function: { arguments: '"Umeå"}' } }),
          ]
        : words(content ?? '').map((word) => part({ content: word }))),
      // Mistral's streams report the usage in their last event, requested or not.
      event({
        choices: [{ index: 0, delta: {}, finish_reason }],
        unknown_field: { kept: true },
        ...(model.startsWith('mistral') && { usage }),
      }),
      ...(isAsked ? [event({ choices: [], usage })] : []),
      'data: [DONE]\n\n',
    ],
  };
}

/** On request, OpenAI's streams have one more event with the usage, and `usage: null` in each other event. */
const asksForUsage = (body: any): boolean => body?.stream_options?.include_usage === true;

function completion(body: any): ProviderAnswer {
  const base = { id: 'cmpl-test', object: 'text_completion', created: 1_700_000_000, model: body?.model };
  const of = (text: string, finish_reason: string | null) => ({
    ...base,
    choices: [{ index: 0, text, finish_reason, logprobs: null }],
  });
  const text = answerTo(body?.prompt);
  if (body?.stream !== true) return whole({ ...of(text, 'stop'), usage });
  const isAsked = asksForUsage(body);
  const event = (fields: object) => data({ ...fields, ...(isAsked && { usage: null }) });
  return {
    events: [
      ...words(text).map((word) => event(of(word, null))),
      event(of('', 'stop')),
      ...(isAsked ? [data({ ...base, choices: [], usage })] : []),
      'data: [DONE]\n\n',
    ],
  };
}

function message(body: any): ProviderAnswer {
  const last = body?.messages?.at?.(-1);
  const hasResult =
    Array.isArray(last?.content) && last.content.some((part: any) => part.type === 'tool_result');
  const isCode = (body?.tools?.[0]?.type ?? '').startsWith('code_execution');
  const tool: string | undefined = hasResult || isCode ? undefined : body?.tools?.[0]?.name;
  const container = isCode
    ? { container: { id: newId('container'), expires_at: '2030-01-01T00:00:00Z' } }
    : undefined;
  const text = answerTo(last?.content, body?.output_config?.format?.type === 'json_schema');
  const block = tool
    ? { type: 'tool_use', id: 'toolu_test', name: tool, input: { city: 'Umeå' } }
    : { type: 'text', text };
  const stop_reason = tool ? 'tool_use' : 'end_turn';
  const of = (content: object[], reason: string | null, output_tokens: number) => ({
    id: 'msg_test',
    type: 'message',
    role: 'assistant',
    model: body?.model,
    content,
    stop_reason: reason,
    stop_sequence: null,
    usage: { input_tokens: 3, output_tokens },
    unknown_field: { kept: true },
  });
  if (body?.stream !== true) return whole({ ...of([block], stop_reason, 2), ...container });
  const event = (type: string, fields: object) => named(type, { type, ...fields });
  const deltas = tool
    ? ['{"city":', '"Umeå"}'].map((partial_json) => ({ type: 'input_json_delta', partial_json }))
    : words(text).map((word) => ({ type: 'text_delta', text: word }));
  return {
    events: [
      event('message_start', { message: of([], null, 1) }),
      event('content_block_start', {
        index: 0,
        content_block: tool ? { ...block, input: {} } : { type: 'text', text: '' },
      }),
      event('ping', {}),
      ...deltas.map((delta) => event('content_block_delta', { index: 0, delta })),
      event('content_block_stop', { index: 0 }),
      event('message_delta', {
        delta: { stop_reason, stop_sequence: null, ...container },
        usage: { output_tokens: 2 },
      }),
      event('message_stop', {}),
    ],
  };
}

function transcription(form: Readonly<Record<string, unknown>>): ProviderAnswer {
  const { size } = (form.file ?? {}) as { size?: number };
  const text = `heard ${size ?? 'no'} bytes`;
  if (form.stream === 'true') {
    const events = [
      ...words(text).map((delta) => ({ type: 'transcript.text.delta', delta })),
      { type: 'transcript.text.done', text },
    ];
    return { events: events.map(data) };
  }
  return form.response_format === 'text'
    ? { status: 200, body: `${text}\n`, type: 'text/plain; charset=utf-8' }
    : whole({ text });
}

function moderation(body: any): object {
  const results = [{ flagged: false, categories: { violence: false }, category_scores: { violence: 0.001 } }];
  return { id: 'modr-test', model: body?.model, results };
}

/** Cohere's own API counts search units (https://docs.cohere.com/reference/rerank), vLLM and Scaleway count tokens. */
function ranking({ path, body }: ProviderRequest): object {
  const documents: unknown[] = body?.documents ?? [];
  const scored = documents.map((_, index) => ({ index, relevance_score: 1 / (index + 1) }));
  const results = scored.slice(0, body?.top_n ?? documents.length);
  if (path === '/v2/rerank') {
    return {
      id: 'rerank-test',
      results,
      meta: { api_version: { version: '2' }, billed_units: { search_units: 1 } },
    };
  }
  return { id: 'rerank-test', model: body?.model, results, usage: { total_tokens: 7 } };
}
