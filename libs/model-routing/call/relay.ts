import {
  type BodySink,
  EndOfAnswer,
  ErrorEvents,
  EventRelay,
  type EventStage,
  type Heartbeat,
  isEventStream,
  type ResponseMemory,
  type UpstreamReceiver,
  type UpstreamResponse,
  WholeBody,
} from '#egress';
import { Problem } from '#http';
import { type Correction, type Json, type Operation, type Translation, UnexpectedResponse } from '#providers';
import { RecordedEvents, recordWhole } from '../stored-objects/recorded-body';
import { type Recording } from '../stored-objects/recording';
import { CorrectedBody, CorrectedEvents } from './corrected-response';
import { HiddenUsage } from './hidden-usage';
import { TranslatedEvents, translatedWhole, translationProblem } from './translated-body';

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
  /** For what has to be held of the response; absent: nobody counts. */
  readonly memory?: ResponseMemory | undefined;
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
  const { recording, heartbeat, label, memory } = plan;
  const { 'content-type': type, 'content-encoding': encoding } = response.headers;
  const isOfEvents = isEventStream(type) && encoding === undefined;
  const correction = encoding === undefined ? plan.correction : undefined;
  const fail = (error: unknown) => client.fail(error);
  if (!isOfEvents) {
    const open = () => client.head(response);
    const openCorrected = () =>
      correction === undefined ? open() : new CorrectedBody(correction, source, memory, open, fail);
    if (recording === undefined) return openCorrected();
    // Tenkey cannot decode this encoding, so it does not see which ids it would hand out.
    if (encoding !== undefined) throw translationProblem(new UnexpectedResponse(), label);
    return new WholeBody(source, memory, (body) => recordWhole(recording, body, openCorrected, fail), fail);
  }
  const sink = client.head(response);
  const stages = providerStages(plan, response);
  if (correction !== undefined) stages.push(new CorrectedEvents(correction));
  if (plan.hidesUsage) stages.push(new HiddenUsage());
  if (recording === undefined) return new EventRelay(stages, sink, source, heartbeat, memory);
  const recorded: RecordedEvents = new RecordedEvents(recording, sink, {
    resume: () => relay.resume(),
    stop: () => relay.stop(),
  });
  const relay = new EventRelay(stages, recorded, source, heartbeat, memory);
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
    return new EventRelay(stages, client.head(response), source, plan.heartbeat, plan.memory);
  }
  const onBody = (body: Buffer) => {
    const translatedBody = translatedWhole(translation, body, context);
    const sink = client.head({ ...response, headers: { ...headers, 'content-type': 'application/json' } });
    sink.write(translatedBody);
    sink.end();
  };
  return new WholeBody(source, plan.memory, onBody, (error) => client.fail(toProblem(error)));
}
