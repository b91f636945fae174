import { cpuTimeMs } from '../../../test/support/cpu-time';
import { estimatedTokens } from './token-estimate';

const sentence = 'Four words of text. ';
const message = (content: unknown) => ({ messages: [{ role: '', content }] });

describe('the estimate of a call', () => {
  it.each([
    ['a quarter of the characters of its text', message(sentence), 5],
    ['of all of its texts, at any depth', { a: [sentence, { b: [[sentence]] }], c: sentence }, 15],
    ['rounded up', { prompt: 'a' }, 1],
    ['and the longest output', { ...message(sentence), max_tokens: 100 }, 105],
    ['by its newer name', { ...message(sentence), max_completion_tokens: 100 }, 105],
    ['by its name in responses', { input: sentence, max_output_tokens: 100 }, 105],
    ['the largest, where there are several', { max_tokens: 100, max_completion_tokens: 200 }, 200],
    ['for each output', { ...message(sentence), max_tokens: 100, n: 3 }, 305],
    ['for each of the outputs that the best one is chosen from', { max_tokens: 100, n: 1, best_of: 4 }, 400],
    ['not of fractions', { max_tokens: 0.5, n: 1.5 }, 1],
    ['not of values that are not numbers', { max_tokens: '99', n: null }, 1],
    ['not of negative numbers', { max_tokens: -1000, n: -2 }, 1],
    ['no less when no output is requested', { ...message(sentence), max_tokens: 100, n: 0 }, 105],
    ['at most the largest safe integer', { max_tokens: 2 ** 52, n: 2 ** 52 }, Number.MAX_SAFE_INTEGER],
    ['of an empty request', {}, 1],
    ['of a form', undefined, 1],
  ])('is %s', (_, request, tokens) => expect(estimatedTokens(request).all).toBe(tokens));

  it('does not count images, audio and documents', () => {
    const base64 = Buffer.from('a sound, 123. '.repeat(20_000)).toString('base64');
    const parts = [
      { type: '', text: sentence },
      { type: '', image_url: { url: `data:image/png;base64,${base64}` } },
      { type: '', image_url: `data:image/svg+xml,${encodeURIComponent('<svg id="a"/>'.repeat(100))}` },
      { type: '', input_audio: { data: base64, format: '' } },
      { type: '', input_audio: { data: Buffer.alloc(30_000).toString('base64'), format: '' } },
      { type: '', file: { file_data: 'aGk=' } },
      { type: '', result: base64 },
      { type: '', result: Buffer.from('a sound, 123. '.repeat(20_000)).toString('base64url') },
    ];
    expect(estimatedTokens(message(parts)).all).toBe(5);
  });

  it.each([
    ['in words', sentence.repeat(1000), 5000],
    ['in Japanese', '今日は雪が降っています。'.repeat(100), 300],
    ['beyond ASCII', 'å'.repeat(400), 100],
    ['of JSON without blanks', '[{"id":1,"ok":true}],'.repeat(4000), 21_000],
    ['of JSON that claims to be data', `data:,${'[{"id":1,"ok":true}],'.repeat(4000)}`, 21_002],
    ['of a list without blanks', 'Alpha1,Beta2;'.repeat(4000), 13_000],
    ['of letters of one kind', 'ACGT'.repeat(4000), 4000],
    ['too short to be data', 'Some/Path2/'.repeat(80), 220],
    ['with an equals sign inside', `${'Name1=Value2='.repeat(400)}x`, 1301],
  ])('counts long texts %s', (_, text, tokens) => {
    expect(estimatedTokens({ input: text }).all).toBe(tokens);
    expect(estimatedTokens({ input: [text] }).all).toBe(tokens);
    expect(estimatedTokens(message(text)).all).toBe(tokens);
  });

  it('counts each token id of a client that encoded its text itself', () => {
    const ids = Array.from({ length: 8000 }, (_, id) => id);
    expect(estimatedTokens({ input: ids }).all).toBe(8000);
    expect(estimatedTokens({ input: [ids, ids] }).all).toBe(16_000);
    expect(estimatedTokens({ prompt: ids, max_tokens: 10, n: 2 }).all).toBe(8020);
    expect(estimatedTokens({ prompt: [ids], suffix: sentence }).all).toBe(8005);
    // Numbers in other fields are not token ids.
    expect(
      estimatedTokens({ logit_bias: ids, tools: [{ enum: ids }], input: [{ bounds: ids }, ids] }).all,
    ).toBe(8000);
  });

  it('accepts requests of any depth and size, in time that grows only with the size', () => {
    const deep = JSON.parse(`${'['.repeat(2_000_000)}"${sentence}"${']'.repeat(2_000_000)}`);
    const startedAt = cpuTimeMs();
    expect(estimatedTokens({ deep }).all).toBe(5);
    expect(estimatedTokens({ numbers: Array<number>(3_000_000).fill(7) }).all).toBe(1);
    expect(estimatedTokens({ texts: Array<string>(1_000_000).fill(sentence) }).all).toBe(5_000_000);
    expect(estimatedTokens({ input: Array<number>(3_000_000).fill(7) }).all).toBe(3_000_000);
    expect(estimatedTokens({ text: 'x'.repeat(50_000_000) }).all).toBe(12_500_000);
    expect(estimatedTokens({ data: `xX9${'/'.repeat(50_000_000)}` }).all).toBe(1);
    expect(cpuTimeMs() - startedAt).toBeLessThan(10_000);
  });
});
