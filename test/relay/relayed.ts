import { type Readable } from 'node:stream';
import { ReadableBody, type UpstreamResponse } from '#egress';
import { Problem } from '#http';
import { relay, type RelayPlan } from '../../libs/model-routing/call/relay';
import { feed } from '../support/feed';

/** A response of a provider whose body comes from a stream. */
export interface StreamedResponse {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
}

/** What the client gets of the response. @throws what the call fails with before the client has a head */
export function relayed(
  plan: Partial<RelayPlan>,
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
    const usual = {
      translation: undefined,
      hidesUsage: false,
      model: 'requested',
      request: {},
      label: 'Testing',
    };
    try {
      feed(body, (source) =>
        relay(client, { ...usual, ...plan }).head({
          status: 200,
          headers,
          source,
          problemOfErrorEvent: (message) =>
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
