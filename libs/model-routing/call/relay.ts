import {
  type BodySink,
  ErrorEvents,
  EventRelay,
  type EventStage,
  isEventStream,
  type UpstreamReceiver,
  type UpstreamResponse,
} from '#egress';
import { type Json, type Translation, UnexpectedResponse } from '#providers';
import { HiddenUsage } from './hidden-usage';
import { TranslatedEvents, TranslatedWhole, translationProblem } from './translated-body';

/** What must happen to a response between the provider and the client. */
export interface RelayPlan {
  /** Reads the usage that the events of a stream report. */
  readonly usage: EventStage;
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

/** Passes the response of one call on to the client, in one pass over its bytes. */
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
  const errors = new ErrorEvents((message) => response.problemOfErrorEvent(message));
  const stages = plan.hidesUsage ? [plan.usage, new HiddenUsage(), errors] : [plan.usage, errors];
  return new EventRelay(stages, sink, response.source);
}

function translated(
  client: UpstreamReceiver,
  response: UpstreamResponse,
  { usage, model, request, label }: RelayPlan,
  translation: Translation,
): BodySink {
  const { source, headers } = response;
  const toProblem = (error: unknown) => translationProblem(error, response, label);
  // The provider compressed the response although the request did not allow that, so it cannot be read.
  if (headers['content-encoding'] !== undefined) throw toProblem(new UnexpectedResponse());
  const context = { model, request };
  if (isEventStream(headers['content-type'])) {
    const stages = [usage, new TranslatedEvents(translation.stream(context), toProblem)];
    return new EventRelay(stages, client.head(response), source);
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
