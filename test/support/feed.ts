import { type Readable } from 'node:stream';
import { type BodySink, type BodySource } from '#egress';

/** Feeds a stream into the stages that `open` returns, as an upstream connection does. */
export function feed(body: Readable, open: (source: BodySource) => BodySink): void {
  const sink = open({ resume: () => void body.resume(), stop: () => void body.destroy() });
  body.on('data', (part: Buffer) => {
    if (!sink.write(Buffer.from(part))) body.pause();
  });
  body.once('end', () => sink.end());
  body.once('error', (error) => sink.fail(error));
}
