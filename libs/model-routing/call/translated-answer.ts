import { Readable } from 'node:stream';
import { createParser } from 'eventsource-parser';
import { ClientGone, isEventStream, type UpstreamResponse } from '#egress';
import { Problem } from '#http';
import {
  type Json,
  StreamFault,
  type StreamTranslator,
  type Translation,
  UnexpectedResponse,
} from '#providers';
import { GeneratedBody } from './generated-body';

/** Longer than any answer that a model writes; an endless one must not fill the memory. */
const MAXIMUM_ANSWER_BYTES = 64 * 1024 * 1024;
const MAXIMUM_EVENT_CHARACTERS = 16 * 1024 * 1024;
/** Events are many times longer than what they say; what a translation gathers of them must have an end as well. */
const MAXIMUM_STREAM_BYTES = 256 * 1024 * 1024;

/** The provider's answer in the format that the client speaks, whole or event by event as it came. */
export async function translatedAnswer(
  translation: Translation,
  answer: UpstreamResponse,
  call: { readonly model: string; readonly request: Json; readonly label: string },
): Promise<UpstreamResponse> {
  const brokenOff = (error: unknown) => problemFrom(error, answer, call.label);
  // Compressed although that was not asked for: nothing in it can be read.
  if (answer.headers['content-encoding'] !== undefined) {
    answer.body.destroy();
    throw brokenOff(new UnexpectedResponse());
  }
  if (isEventStream(answer.headers['content-type'])) {
    const events = translatedEvents(answer.body, translation.stream(call), brokenOff);
    return { ...answer, body: new GeneratedBody(answer.body, events) };
  }
  try {
    const decoded = translation.decode(JSON.parse(await wholeOf(answer.body)), call);
    const body = Readable.from([Buffer.from(JSON.stringify(decoded))]);
    return { ...answer, headers: { ...answer.headers, 'content-type': 'application/json' }, body };
  } catch (error) {
    answer.body.destroy();
    throw brokenOff(error);
  }
}

async function* translatedEvents(
  body: Readable,
  translator: StreamTranslator,
  brokenOff: (error: unknown) => Error,
): AsyncGenerator<Buffer> {
  let text = '';
  const parser = createParser({
    onEvent: ({ event, data }) => (text += translator.push({ event, data })),
    onError: (error) => {
      if (error.type === 'max-buffer-size-exceeded') throw new UnexpectedResponse();
    },
    maxBufferSize: MAXIMUM_EVENT_CHARACTERS,
  });
  const decoder = new TextDecoder();
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAXIMUM_STREAM_BYTES) throw new UnexpectedResponse();
      let fault: Error | undefined;
      try {
        parser.feed(decoder.decode(chunk, { stream: true }));
      } catch (error) {
        fault = error as Error;
      }
      // Also of a chunk that ends in a fault: what came before it was said.
      if (text !== '') yield Buffer.from(text);
      text = '';
      if (fault !== undefined) throw fault;
    }
    // Not every provider ends its last event with a blank line.
    parser.feed(`${decoder.decode()}\n\n`);
    text += translator.end();
    if (text !== '') yield Buffer.from(text);
  } catch (error) {
    throw brokenOff(error);
  }
}

async function wholeOf(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAXIMUM_ANSWER_BYTES) throw new UnexpectedResponse();
  }
  return Buffer.concat(chunks).toString('utf8');
}

function problemFrom(error: unknown, answer: UpstreamResponse, label: string): Error {
  if (error instanceof Problem || error instanceof ClientGone) return error;
  if (error instanceof StreamFault) return answer.streamFault(error.message);
  return new Problem('upstream_unavailable', {
    detail: `${label} broke off its answer or sent one that cannot be read.`,
    // Not the error itself: JSON.parse quotes the provider's text, which may repeat the key.
    cause: new Error(
      `the answer is not as documented (${error instanceof Error ? error.name : typeof error})`,
    ),
  });
}
