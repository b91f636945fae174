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

  it('is not of images and sounds', () => {
    const base64 = Buffer.alloc(300_000, 'sound').toString('base64');
    const parts = [
      { type: '', text: sentence },
      { type: '', image_url: { url: `data:image/png;base64,${base64}` } },
      { type: '', input_audio: { data: base64, format: '' } },
    ];
    expect(estimatedTokens(message(parts))).toBe(5);
  });

  it('is of long texts, also of those that are written without blanks', () => {
    expect(estimatedTokens({ input: sentence.repeat(1000) })).toBe(5000);
    expect(estimatedTokens({ input: '今日は雪が降っています。'.repeat(100) })).toBe(300);
    expect(estimatedTokens({ input: 'å'.repeat(400) })).toBe(100);
    expect(estimatedTokens({ input: 'x'.repeat(256) })).toBe(64);
    expect(estimatedTokens({ input: 'x'.repeat(257) })).toBe(1);
  });

  it('is made of any depth and size, in time that grows with the size alone', () => {
    const deep = JSON.parse(`${'['.repeat(2_000_000)}"${sentence}"${']'.repeat(2_000_000)}`);
    const began = performance.now();
    expect(estimatedTokens({ deep })).toBe(5);
    expect(estimatedTokens({ numbers: Array<number>(3_000_000).fill(7) })).toBe(1);
    expect(estimatedTokens({ texts: Array<string>(1_000_000).fill(sentence) })).toBe(5_000_000);
    expect(estimatedTokens({ text: 'x'.repeat(50_000_000) })).toBe(1);
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});
