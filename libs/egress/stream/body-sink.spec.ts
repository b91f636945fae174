import { setImmediate as turn } from 'node:timers/promises';
import { ReadableBody } from './body-sink';

/** @returns what a reader gets that begins after `turns` turns of the event loop, and the error that ends it */
async function readAfter(turns: number, turnsBeforeFailure: number): Promise<string> {
  const body = new ReadableBody({ resume: () => undefined, stop: () => undefined }, () => undefined);
  body.read(0);
  body.write(Buffer.from('part'));
  for (let each = 0; each < turnsBeforeFailure; each += 1) await turn();
  // As a reader that has taken nothing yet makes it: the stream waits for the next part.
  body.read(0);
  body.fail(new Error('failed'));
  for (let each = 0; each < turns; each += 1) await turn();
  let text = '';
  try {
    for await (const part of body as AsyncIterable<Buffer>) text += part.toString();
  } catch (error) {
    return `${text}!${(error as Error).message}`;
  }
  return `${text} without an error`;
}

it.each([0, 1, 2])(
  'a reader gets what came before the failure, and then the failure (%i turns later)',
  async (turns) => {
    for (const before of [0, 1, 2]) expect(await readAfter(turns, before)).toBe('part!failed');
  },
);

it('a reader that reads while the body fails gets both', async () => {
  const body = new ReadableBody({ resume: () => undefined, stop: () => undefined }, () => undefined);
  const read = (async () => {
    let text = '';
    try {
      for await (const part of body as AsyncIterable<Buffer>) text += part.toString();
    } catch (error) {
      return `${text}!${(error as Error).message}`;
    }
    return text;
  })();
  await turn();
  body.write(Buffer.from('part'));
  body.fail(new Error('failed'));
  expect(await read).toBe('part!failed');
});
