import { doneMarker, eventObject, namedEvent } from '../sse';
import { callFragment, type CallFragment, ToolCallKeys } from '../tool-calls';
import {
  type Json,
  type StreamEvent,
  type StreamTranslator,
  type TranslationContext,
  UnexpectedResponse,
} from '../translation';
import { isAbsent, isObject } from '../values';
import { DraftResponse, logprobsOf } from './response';

/**
 * Translates the chunks of https://platform.openai.com/docs/api-reference/chat-streaming into the events of
 * https://platform.openai.com/docs/api-reference/responses-streaming. Servers may leave out `[DONE]`, ids and the index of a
 * tool call. A chunk without choices contains the usage.
 */
export class ResponseStream implements StreamTranslator {
  private draft: DraftResponse | undefined;
  private readonly keys = new ToolCallKeys();
  private usage: unknown;
  private serviceTier: unknown;
  private finishReason: unknown;
  private sequenceNumber = 0;
  private isFinished = false;

  constructor(private readonly context: TranslationContext) {}

  push({ data }: StreamEvent): string {
    if (this.isFinished) return '';
    if (data.trim() === doneMarker) return this.finish();
    const chunk = eventObject(data);
    if (isObject(chunk.usage)) this.usage = chunk.usage;
    if (typeof chunk.service_tier === 'string') this.serviceTier = chunk.service_tier;
    if (!Array.isArray(chunk.choices)) {
      if (isObject(chunk.usage)) return '';
      throw new UnexpectedResponse();
    }
    const choice = chunk.choices.filter(isObject).find(({ index = 0 }) => index === 0);
    return choice === undefined ? '' : this.choice(chunk, choice);
  }

  end(): string {
    if (this.isFinished) return '';
    if (isAbsent(this.finishReason)) throw new UnexpectedResponse();
    return this.finish();
  }

  private choice(chunk: Json, choice: Json): string {
    let events = '';
    if (this.draft === undefined) {
      this.draft = new DraftResponse(this.context, chunk.id, chunk.created);
      const response = this.draft.begun;
      events += this.events([
        { type: 'response.created', response },
        { type: 'response.in_progress', response },
      ]);
    }
    if (!isAbsent(choice.finish_reason)) this.finishReason = choice.finish_reason;
    const delta = isObject(choice.delta) ? choice.delta : {};
    const calls: unknown[] = Array.isArray(delta.tool_calls) ? delta.tool_calls : [];
    const keyed = calls.filter(isObject).map((call): [number, CallFragment] => {
      const fragment = callFragment(call);
      return [this.keys.keyOf(call.index, fragment), fragment];
    });
    return events + this.events(this.draft.add(delta, logprobsOf(choice), keyed));
  }

  private finish(): string {
    if (this.draft === undefined) throw new UnexpectedResponse();
    this.isFinished = true;
    this.draft.usage = this.usage;
    this.draft.serviceTier = this.serviceTier;
    const { events, response } = this.draft.end(this.finishReason);
    return this.events([...events, { type: `response.${String(response.status)}`, response }]);
  }

  private events(bodies: readonly Json[]): string {
    return bodies
      .map((body) => namedEvent({ type: String(body.type), sequence_number: this.sequenceNumber++, ...body }))
      .join('');
  }
}
