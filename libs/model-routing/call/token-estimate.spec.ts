import { estimatedTokens } from './token-estimate';

const sentence = 'Four words of text. ';
const message = (content: unknown) => ({ messages: [{ role: '', content }] });

describe('the estimate of a call', () => {
  it.each([
    ['a quarter of the characters of its text', message(sentence), 5],
    ['of all of its texts, wherever they stand', { a: [sentence, { b: [[sentence]] }], c: sentence }, 15],
    ['rounded up', { prompt: 'a' }, 1],
    ['and the longest answer', { ...message(sentence), max_tokens: 100 }, 105],
    ['by its newer name', { ...message(sentence), max_completion_tokens: 100 }, 105],
    ['by its name in responses', { input: sentence, max_output_tokens: 100 }, 105],
    ['the largest, where there are several', { max_tokens: 100, max_completion_tokens: 200 }, 200],
    ['for each answer', { ...message(sentence), max_tokens: 100, n: 3 }, 305],
    ['for each that the best is chosen of', { max_tokens: 100, n: 1, best_of: 4 }, 400],
    ['not of what is no whole number', { max_tokens: 0.5, n: 1.5 }, 1],
    ['not of what is no number', { max_tokens: '99', n: null }, 1],
    ['not of what is below zero', { max_tokens: -1000, n: -2 }, 1],
    ['not less for none at all', { ...message(sentence), max_tokens: 100, n: 0 }, 105],
    ['not above every number', { max_tokens: 2 ** 52, n: 2 ** 52 }, Number.MAX_SAFE_INTEGER],
    ['of an empty request', {}, 1],
    ['of a form', undefined, 1],
  ])('is %s', (_, request, tokens) => expect(estimatedTokens(request)).toBe(tokens));

  it('is not of images, sounds and documents', () => {
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
    expect(estimatedTokens(message(parts))).toBe(5);
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
  ])('is of long texts, %s', (_, text, tokens) => {
    expect(estimatedTokens({ input: text })).toBe(tokens);
    expect(estimatedTokens({ input: [text] })).toBe(tokens);
    expect(estimatedTokens(message(text))).toBe(tokens);
  });

  it('is of each token id that a client counted already', () => {
    const ids = Array.from({ length: 8000 }, (_, id) => id);
    expect(estimatedTokens({ input: ids })).toBe(8000);
    expect(estimatedTokens({ input: [ids, ids] })).toBe(16_000);
    expect(estimatedTokens({ prompt: ids, max_tokens: 10, n: 2 })).toBe(8020);
    expect(estimatedTokens({ prompt: [ids], suffix: sentence })).toBe(8005);
    // Numbers elsewhere are none.
    expect(estimatedTokens({ logit_bias: ids, tools: [{ enum: ids }], input: [{ bounds: ids }, ids] })).toBe(
      8000,
    );
  });

  it('is made of any depth and size, in time that grows with the size alone', () => {
    const deep = JSON.parse(`${'['.repeat(2_000_000)}"${sentence}"${']'.repeat(2_000_000)}`);
    const began = performance.now();
    expect(estimatedTokens({ deep })).toBe(5);
    expect(estimatedTokens({ numbers: Array<number>(3_000_000).fill(7) })).toBe(1);
    expect(estimatedTokens({ texts: Array<string>(1_000_000).fill(sentence) })).toBe(5_000_000);
    expect(estimatedTokens({ input: Array<number>(3_000_000).fill(7) })).toBe(3_000_000);
    expect(estimatedTokens({ text: 'x'.repeat(50_000_000) })).toBe(12_500_000);
    expect(estimatedTokens({ data: `xX9${'/'.repeat(50_000_000)}` })).toBe(1);
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});
