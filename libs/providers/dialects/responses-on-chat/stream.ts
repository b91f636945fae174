import { type ChatChunk, ChatChunks } from '../chat-chunks';
import { doneMarker, namedEvent } from '../sse';
import {
  type Json,
  type StreamEvent,
  type StreamTranslator,
  type TranslationContext,
  UnexpectedResponse,
} from '../translation';
import { DraftResponse, logprobsOf } from './response';

/**
 * Translates the chunks of a chat completion into the events of
 * https://platform.openai.com/docs/api-reference/responses-streaming.
 */
export class ResponseStream implements StreamTranslator {
  private readonly chunks = new ChatChunks();
  private draft: DraftResponse | undefined;
  private sequenceNumber = 0;
  private isFinished = false;

  constructor(private readonly context: TranslationContext) {}

  push({ data }: StreamEvent): string {
    if (this.isFinished) return '';
    if (data.trim() === doneMarker) return this.finish();
    const chunk = this.chunks.read(data);
    return chunk === undefined ? '' : this.add(chunk);
  }

  end(): string {
    if (this.isFinished) return '';
    if (!this.chunks.hasFinishReason) throw new UnexpectedResponse();
    return this.finish();
  }

  private add({ id, created, choice, delta, calls }: ChatChunk): string {
    let events = '';
    if (this.draft === undefined) {
      this.draft = new DraftResponse(this.context, id, created);
      const response = this.draft.begun;
      events += this.events([
        { type: 'response.created', response },
        { type: 'response.in_progress', response },
      ]);
    }
    return events + this.events(this.draft.add(delta, logprobsOf(choice), calls));
  }

  private finish(): string {
    if (this.draft === undefined) throw new UnexpectedResponse();
    this.isFinished = true;
    const { usage, serviceTier, ending } = this.chunks;
    const { events, response } = this.draft.end(ending.finish_reason, usage, serviceTier);
    return this.events([...events, { type: `response.${String(response.status)}`, response }]);
  }

  private events(bodies: readonly Json[]): string {
    return bodies
      .map((body) => namedEvent({ type: String(body.type), sequence_number: this.sequenceNumber++, ...body }))
      .join('');
  }
}
