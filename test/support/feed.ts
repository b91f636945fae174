import { type Readable } from 'node:stream';
import {
  type BodySink,
  type BodySource,
  type EventStage,
  ReadableBody,
  type UpstreamReceiver,
  type UpstreamResponse,
} from '#egress';
import { Problem } from '#http';

/** Lets everything pass. */
export const noStage: EventStage = { pass: (events) => events, passPart: () => undefined };

/** Feeds a stream into the stages that `open` returns, as an upstream connection does. */
export function feed(body: Readable, open: (source: BodySource) => BodySink): void {
  const sink = open({ resume: () => void body.resume(), stop: () => void body.destroy() });
  body.on('data', (part: Buffer) => {
    if (!sink.write(Buffer.from(part))) body.pause();
  });
  body.once('end', () => sink.end());
  body.once('error', (error) => sink.fail(error));
}

/** What comes out when parts are fed in at once, without a stream. For tests that cut a body at each of its bytes. */
export function fedAtOnce(
  parts: readonly Buffer[],
  open: (sink: BodySink, source: BodySource) => BodySink,
): { text: string; error?: Error } {
  const passed: Buffer[] = [];
  let error: Error | undefined;
  const sink = open(
    {
      write: (part) => passed.push(part) > 0,
      end: () => undefined,
      fail: (reason) => (error = reason),
    },
    { resume: () => undefined, stop: () => undefined },
  );
  for (const part of parts) if (error === undefined) sink.write(part);
  if (error === undefined) sink.end();
  return { text: Buffer.concat(passed).toString(), ...(error && { error }) };
}

/** A response of a provider whose body comes from a stream. */
export interface StreamedResponse {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
}

/** What the client gets of the response. @throws what the call fails with before the client has a head */
export function relayedBy<Plan>(
  relay: (client: UpstreamReceiver, plan: Plan) => UpstreamReceiver,
  plan: Plan,
  { headers, body }: StreamedResponse,
): Promise<{ readonly headers: Readonly<Record<string, string>>; readonly body: ReadableBody }> {
  return new Promise((resolve, reject) => {
    const client = {
      head: (response: UpstreamResponse) => {
        const readable = new ReadableBody(response.source, () => body.destroy());
        resolve({ headers: response.headers, body: readable });
        return readable;
      },
      fail: reject,
    };
    try {
      feed(body, (source) =>
        relay(client, plan).head({
          status: 200,
          headers,
          source,
          withoutKey: (sink) => sink,
          problemOf: ({ message }) =>
            new Problem('upstream_unavailable', { detail: `Testing reported: ${message}` }),
        }),
      );
    } catch (error) {
      body.destroy();
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a test looks at whatever was thrown
      reject(error);
    }
  });
}
