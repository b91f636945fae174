import {
  type BodySink,
  EndOfAnswer,
  ErrorEvents,
  EventRelay,
  type EventStage,
  type Heartbeat,
  isEventStream,
  type UpstreamReceiver,
  type UpstreamResponse,
} from '#egress';
import { Problem } from '#http';
import { type Correction, type Json, type Operation, type Translation, UnexpectedResponse } from '#providers';
import { RecordedEvents, RecordedWhole } from '../stored-objects/recorded-body';
import { type Recording } from '../stored-objects/recording';
import { CorrectedBody, CorrectedEvents } from './corrected-response';
import { HiddenUsage } from './hidden-usage';
import { TranslatedEvents, TranslatedWhole, translationProblem } from './translated-body';

/** What must happen to a response between the provider and the client. */
export interface RelayPlan {
  /** Reads the usage that the events of a stream report. */
  readonly usage: EventStage;
  /** Records the stored objects that the response makes; undefined when it cannot make any. */
  readonly recording?: Pick<Recording, 'whole' | 'events'> | undefined;
  /** Undefined: the client speaks the provider's format, and gets its bytes. */
  readonly translation: Translation | undefined;
  /** What must change in a response that is not translated; undefined: nothing. */
  readonly correction?: Correction | undefined;
  /** True when Tenkey requested the usage of a stream and the client did not. */
  readonly hidesUsage: boolean;
  /** The operation at the provider, which decides how its stream ends. */
  readonly operation: Operation;
  /** In the client's format. */
  readonly heartbeat: Heartbeat | undefined;
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
  const { source } = response;
  const { recording, heartbeat, label } = plan;
  const { 'content-type': type, 'content-encoding': encoding } = response.headers;
  const isOfEvents = isEventStream(type) && encoding === undefined;
  const correction = encoding === undefined ? plan.correction : undefined;
  const open = () => {
    const sink = client.head(response);
    if (isOfEvents || correction === undefined) return sink;
    return new CorrectedBody(correction, sink, source, (error) => translationProblem(error, label));
  };
  if (!isOfEvents && recording !== undefined) {
    // Tenkey cannot decode this encoding, so it does not see which ids it would hand out.
    if (encoding !== undefined) throw translationProblem(new UnexpectedResponse(), label);
    return new RecordedWhole(recording, source, open, (error) => client.fail(error));
  }
  const sink = open();
  if (!isOfEvents) return sink;
  const stages = providerStages(plan, response);
  if (correction !== undefined) stages.push(new CorrectedEvents(correction));
  if (plan.hidesUsage) stages.push(new HiddenUsage());
  if (recording === undefined) return new EventRelay(stages, sink, source, heartbeat);
  const recorded: RecordedEvents = new RecordedEvents(recording, sink, {
    resume: () => relay.resume(),
    stop: () => relay.stop(),
  });
  const relay = new EventRelay(stages, recorded, source, heartbeat);
  return relay;
}

/** What looks at the provider's own events. */
function providerStages({ usage, operation, label }: RelayPlan, response: UpstreamResponse): EventStage[] {
  const errors = new ErrorEvents((error) => response.problemOf(error));
  const end = new EndOfAnswer(operation, () => {
    const detail = `${label} ended its response before the answer was complete.`;
    return new Problem('upstream_unavailable', { detail });
  });
  return [usage, errors, end];
}

function translated(
  client: UpstreamReceiver,
  response: UpstreamResponse,
  plan: RelayPlan,
  translation: Translation,
): BodySink {
  const { model, request, label } = plan;
  const { source, headers } = response;
  const toProblem = (error: unknown) => translationProblem(error, label);
  // Tenkey cannot decode this encoding, so the body cannot be translated.
  if (headers['content-encoding'] !== undefined) throw toProblem(new UnexpectedResponse());
  const context = { model, request };
  if (isEventStream(headers['content-type'])) {
    const stages = providerStages(plan, response);
    stages.push(new TranslatedEvents(translation.stream(context), toProblem));
    return new EventRelay(stages, client.head(response), source, plan.heartbeat);
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
