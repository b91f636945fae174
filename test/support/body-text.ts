import { type Response } from 'supertest';

/** A parser for supertest, which otherwise fails at JSON that is invalid: the body is the text. */
export function bodyText(response: Response, done: (error: null, text: string) => void): void {
  const source = response as unknown as NodeJS.ReadableStream;
  let text = '';
  source.setEncoding('utf8');
  source.on('data', (part: string) => (text += part));
  source.on('end', () => done(null, text));
}
