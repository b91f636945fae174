import {
  type BodySink,
  isEventStream,
  type UpstreamReceiver,
  type UpstreamResponse,
  WholeEvents,
} from '#egress';
import { type Json, type Translation, UnexpectedResponse } from '#providers';
import { HiddenUsage } from './hidden-usage';
import { TranslatedEvents, TranslatedWhole, translationProblem } from './translated-body';

/** What must happen to a response between the provider and the client. */
export interface RelayPlan {
  /** Undefined: the client speaks the provider's format, and gets its bytes. */
  readonly translation: Translation | undefined;
  /** True when Tenkey requested the usage of a stream and the client did not. */
  readonly hidesUsage: boolean;
  /** The model's name in the client's request. */
  readonly model: string;
  readonly request: Json;
  /** The provider's. */
  readonly label: string;
}

/**
 * Passes the response of one call on to the client, in one pass over its bytes. A part goes through these
 * sinks in this order: HiddenUsage hides the usage that only Tenkey requested, WholeEvents passes on whole events and detects errors in
 * them, and the client's sink writes. If the client speaks another dialect, a translation takes the place of the first two.
 */
export function relay(client: UpstreamReceiver, plan: RelayPlan): UpstreamReceiver {
  return {
    head: (response) =>
      plan.translation
        ? translated(client, response, plan, plan.translation)
        : passed(client, response, plan),
    fail: (error) => client.fail(error),
  };
}

function passed(client: UpstreamReceiver, response: UpstreamResponse, plan: RelayPlan): BodySink {
  const sink = client.head(response);
  const { 'content-type': type, 'content-encoding': encoding } = response.headers;
  if (!isEventStream(type) || encoding !== undefined) return sink;
  const events = new WholeEvents(sink, response.source, (message) => response.problemOfErrorEvent(message));
  return plan.hidesUsage ? new HiddenUsage(events) : events;
}

function translated(
  client: UpstreamReceiver,
  response: UpstreamResponse,
  { model, request, label }: RelayPlan,
  translation: Translation,
): BodySink {
  const { source, headers } = response;
  const toProblem = (error: unknown) => translationProblem(error, response, label);
  // The provider compressed the response although the request did not allow that, so it cannot be read.
  if (headers['content-encoding'] !== undefined) throw toProblem(new UnexpectedResponse());
  const context = { model, request };
  if (isEventStream(headers['content-type'])) {
    return new TranslatedEvents(client.head(response), source, translation.stream(context), toProblem);
  }
  const onBody = (body: Buffer) => {
    try {
      const sink = client.head({ ...response, headers: { ...headers, 'content-type': 'application/json' } });
      sink.write(body);
      sink.end();
    } catch (error) {
      client.fail(error);
    }
  };
  return new TranslatedWhole(translation, context, source, toProblem, onBody, (error) => client.fail(error));
}
