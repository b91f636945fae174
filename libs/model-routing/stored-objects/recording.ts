import { Logger } from '@nestjs/common';
import { eachEvent, fieldsOfEvent, refuseTooManyValues } from '#egress';
import { Problem } from '#http';
import { type Operation } from '#providers';
import { type ObjectId } from './kinds';
import { type DescribedResponse, madeIn, mayMakeObjects } from './made-ids';
import { type Owner, type StoredObjectsService } from './stored-objects.service';

/** The tokens of a background response count once, for the first call that sees it finished. */
export interface DeferredUsage {
  /** They do not count for this call. */
  leaveOut(): void;
  /** They do, because this call is the first that sees them. */
  count(): void;
}

export interface RecordingOptions {
  /** Of the provider. */
  readonly operation: Operation;
  readonly owner: Owner;
  /** The name in ai_models.yml. */
  readonly model: string;
  /** False when the request says that the provider must not keep the response. Containers exist nevertheless. */
  readonly isStored: boolean;
  /** True when the response was made by an earlier call. */
  readonly isFetched: boolean;
  readonly usage: DeferredUsage;
}

/** More than any response makes. A server could otherwise fill the database with one of them. */
const MAXIMUM_IDS = 5000;
const log = new Logger('calls');

/** Finds the stored objects that a response makes, and has them recorded. There is one for each call that may make some. */
export class Recording {
  readonly #objects: StoredObjectsService;
  readonly #options: RecordingOptions;
  readonly #known = new Set<string>();
  #isStored: boolean;
  #isInConversation = false;
  #isUsageDue: boolean;
  #hasMade = false;

  constructor(objects: StoredObjectsService, options: RecordingOptions) {
    this.#objects = objects;
    this.#options = options;
    this.#isStored = options.isStored;
    this.#isUsageDue = options.isFetched;
  }

  /**
   * Reads a whole response.
   * @returns undefined when nothing has to be recorded, else resolves when the response may be passed on
   * @throws Problem upstream_unavailable
   */
  whole(body: Buffer): Promise<void> | undefined {
    if (!mayMakeObjects(this.#options.operation, body)) return undefined;
    refuseTooManyValues(body);
    const json = parsed(body.toString('utf8'));
    return json === undefined ? undefined : this.#recorded([json]);
  }

  /**
   * Reads whole events of a stream.
   * @returns the same for these events
   */
  events(events: Buffer): Promise<void> | undefined {
    const { operation } = this.#options;
    if (!mayMakeObjects(operation, events)) return undefined;
    const found: unknown[] = [];
    for (const event of eachEvent(events)) {
      if (!mayMakeObjects(operation, event)) continue;
      const json = parsed(fieldsOfEvent(event).data ?? '');
      if (json !== undefined) found.push(json);
    }
    return this.#recorded(found);
  }

  #recorded(texts: readonly unknown[]): Promise<void> | undefined {
    const { operation } = this.#options;
    const fresh: ObjectId[] = [];
    let ended: DescribedResponse | undefined;
    let isPending = false;
    for (const text of texts) {
      const { ids, response } = madeIn(operation, text);
      if (response !== undefined) {
        if (!response.isStored) this.#isStored = false;
        this.#isInConversation ||= response.isInConversation;
        isPending ||= response.isPending;
        if (response.hasUsage) ended = response;
      }
      for (const each of ids) if (this.#isFresh(each)) fresh.push(each);
    }
    const isUsageDue = isPending && !this.#options.isFetched && !this.#isUsageDue;
    if (isUsageDue) {
      this.#isUsageDue = true;
      this.#options.usage.leaveOut();
    }
    const endedId = this.#isUsageDue ? ended?.id : undefined;
    if (fresh.length === 0 && endedId === undefined) return undefined;
    return this.#commit(fresh, isUsageDue, endedId);
  }

  #isFresh({ kind, id }: ObjectId): boolean {
    // Its owner was found before it was fetched, and may delete it meanwhile.
    if (kind === 'response' && this.#options.isFetched) return false;
    const isKept = this.#isStored || kind === 'container' || kind === 'file';
    const name = `${kind} ${id}`;
    if (!isKept || this.#known.has(name)) return false;
    this.#known.add(name);
    return true;
  }

  async #commit(ids: readonly ObjectId[], isUsageDue: boolean, endedId: string | undefined): Promise<void> {
    const { owner, model, usage, isFetched } = this.#options;
    if (this.#known.size > MAXIMUM_IDS) {
      throw new Problem('upstream_unavailable', {
        detail: `The response of the provider has more than ${MAXIMUM_IDS} ids of stored objects.`,
      });
    }
    try {
      if (ids.length > 0) {
        const areInConversation = this.#isInConversation;
        await this.#objects.record(owner, { ids, model, areInConversation, isUsageDue });
        this.#hasMade = true;
      }
      if (endedId === undefined) return;
      this.#isUsageDue = false;
      if (await this.#objects.takeUsage(owner, endedId)) usage.count();
    } catch (error) {
      if (!isFetched && !this.#hasMade) {
        log.warn(
          `${owner.provider.id} has made a response for tenant ${owner.tenantId} whose id could not be recorded, so nobody can use what ${owner.provider.id} has stored`,
        );
      }
      if (error instanceof Problem) throw error;
      throw new Problem('credential_store_unavailable', {
        detail:
          'The response was withheld: the database of Tenkey cannot be reached, or is busy, so it could not be recorded which tenant owns the response.',
        cause: error,
      });
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
