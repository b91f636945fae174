import { Readable } from 'node:stream';
import { createParser } from 'eventsource-parser';
import { ClientDisconnected, isEventStream, type UpstreamResponse } from '#egress';
import { Problem } from '#http';
import {
  type Json,
  StreamFault,
  type StreamTranslator,
  type Translation,
  UnexpectedResponse,
} from '#providers';
import { GeneratedBody } from './generated-body';

/** More than any model writes; a response without an end must not fill the memory. */
const MAXIMUM_RESPONSE_BYTES = 64 * 1024 * 1024;
const MAXIMUM_EVENT_CHARACTERS = 16 * 1024 * 1024;
/** Larger than the limit for a whole response, because events are many times longer than their text. */
const MAXIMUM_STREAM_BYTES = 256 * 1024 * 1024;

/**
 * Translates the provider's response to the client's format: as a whole, or event by event as it arrives.
 * @throws Problem upstream_unavailable when the response cannot be read
 */
export async function translatedResponse(
  translation: Translation,
  response: UpstreamResponse,
  call: { readonly model: string; readonly request: Json; readonly label: string },
): Promise<UpstreamResponse> {
  const toProblem = (error: unknown) => problemFrom(error, response, call.label);
  // The provider compressed the response although the request did not allow that, so it cannot be read.
  if (response.headers['content-encoding'] !== undefined) {
    response.body.destroy();
    throw toProblem(new UnexpectedResponse());
  }
  if (isEventStream(response.headers['content-type'])) {
    const events = translatedEvents(response.body, translation.stream(call), toProblem);
    return { ...response, body: new GeneratedBody(response.body, events) };
  }
  try {
    const decoded = translation.decode(JSON.parse(await wholeOf(response.body)), call);
    const body = Readable.from([Buffer.from(JSON.stringify(decoded))]);
    return { ...response, headers: { ...response.headers, 'content-type': 'application/json' }, body };
  } catch (error) {
    response.body.destroy();
    throw toProblem(error);
  }
}

async function* translatedEvents(
  body: Readable,
  translator: StreamTranslator,
  toProblem: (error: unknown) => Error,
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
      // Pass on what came before a fault in the same chunk: it was valid.
      if (text !== '') yield Buffer.from(text);
      text = '';
      if (fault !== undefined) throw fault;
    }
    // Not every provider ends its last event with a blank line.
    parser.feed(`${decoder.decode()}\n\n`);
    text += translator.end();
    if (text !== '') yield Buffer.from(text);
  } catch (error) {
    throw toProblem(error);
  }
}

async function wholeOf(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAXIMUM_RESPONSE_BYTES) throw new UnexpectedResponse();
  }
  return Buffer.concat(chunks).toString('utf8');
}

function problemFrom(error: unknown, response: UpstreamResponse, label: string): Error {
  if (error instanceof Problem || error instanceof ClientDisconnected) return error;
  if (error instanceof StreamFault) return response.problemOfErrorEvent(error.message);
  return new Problem('upstream_unavailable', {
    detail: `${label} broke off its response or sent one that cannot be read.`,
    // The cause names only the error's type: JSON.parse quotes the provider's text, which may repeat the key.
    cause: new Error(
      `the response is not as documented (${error instanceof Error ? error.name : typeof error})`,
    ),
  });
}
