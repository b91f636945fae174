import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { maskOf } from '#crypto';
import { type Answer, type ServiceProcess, type Services } from './service-processes';

/** The provider's keys of a tenant, as stored. */
interface Slots {
  readonly live?: string;
  readonly staged?: string;
  readonly previous?: string;
}

interface Change {
  readonly kind: 'set' | 'stage' | 'promote' | 'roll back' | 'delete';
  readonly after: Slots;
  send(service: ServiceProcess): Promise<Answer>;
}

/** Until a statement on a lost connection has ended. */
const SETTLED_MS = 1500;
const LONGEST_OUTAGE_MS = 60_000;

/**
 * A tenant whose credential is changed again and again, and the keys that each of its calls may therefore use: those from the
 * last change that was answered when the call started to the last one that was sent when it ended.
 */
export class SoakTenant {
  readonly changes = new Map<Change['kind'], number>();
  /** Changes that were refused or not answered, by what was said. */
  readonly unmade = new Map<string, number>();
  slowestMs = 0;
  #states: Slots[] = [{}];
  #answered = 0;

  private constructor(
    readonly id: string,
    private readonly services: Services,
    private readonly random: () => number,
  ) {}

  static async create(services: Services, random: () => number): Promise<SoakTenant> {
    const { body } = await services.all[0]!.change('POST', '/tenants', { name: `tenant-${randomUUID()}` });
    const tenant = new SoakTenant(body.id, services, random);
    await tenant.change(services.all[0]!);
    return tenant;
  }

  /** Begins a call. @returns whether the call, which has ended, may have used this key; undefined: none is configured */
  begin(): (key: string | undefined) => boolean {
    const first = this.#answered;
    return (key) => this.#states.slice(first).some(({ live }) => live === key);
  }

  /** Makes any change that is possible. After a deletion it sets a credential again, because calls need one. */
  async change(service: ServiceProcess): Promise<void> {
    await this.make(this.anyChange(this.state), service);
    if (this.state.live === undefined) await this.make(this.anyChange(this.state), service);
  }

  private get state(): Slots {
    return this.#states.at(-1)!;
  }

  private async make(change: Change, service: ServiceProcess): Promise<void> {
    const before = this.state;
    this.#states.push(change.after);
    const sent = performance.now();
    const answer = await change.send(service).catch((error: NodeJS.ErrnoException) => error);
    this.slowestMs = Math.max(this.slowestMs, performance.now() - sent);
    if ('status' in answer && answer.status < 300) {
      this.#answered = this.#states.length - 1;
      this.changes.set(change.kind, (this.changes.get(change.kind) ?? 0) + 1);
      return;
    }
    const said =
      'status' in answer ? `${answer.status} ${answer.body?.code}` : (answer.code ?? answer.message);
    this.unmade.set(said, (this.unmade.get(said) ?? 0) + 1);
    if ('status' in answer && /Nothing was changed/.test(answer.body?.detail)) {
      this.#states.pop();
      return;
    }
    // Both states are possible until the next change is answered.
    await wait(SETTLED_MS);
    const stored = await this.stored();
    const state = [change.after, before].find((each) => isStored(each, stored));
    if (state === undefined) throw new Error(`a ${change.kind} left ${JSON.stringify(stored)}`);
    this.#states.push(state);
  }

  /** Whether the database holds what the last change left. */
  async isKept(): Promise<boolean> {
    return isStored(this.state, await this.stored());
  }

  /** The masks of the stored keys. Waits until the database is available. */
  private async stored(): Promise<Slots> {
    for (const deadline = performance.now() + LONGEST_OUTAGE_MS; ;) {
      try {
        const rows = await this.services.query<{ slot: keyof Slots; mask: string }>(
          `select 'live' as slot, key_hint as mask from tenant_credentials where tenant_id = $1
           union all select slot, key_hint from credential_slots where tenant_id = $1`,
          [this.id],
        );
        return Object.fromEntries(rows.map(({ slot, mask }) => [slot, mask]));
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await wait(100);
      }
    }
  }

  private anyChange(now: Slots): Change {
    const key = `sk-${randomUUID()}`;
    const { live, staged, previous } = now;
    const path = (rest = '') => `/tenants/${this.id}/credentials/openai${rest}`;
    const set: Change = {
      kind: 'set',
      after: { live: key, staged },
      send: (service) => service.sysadmin('PUT', path(), { api_key: key }),
    };
    if (live === undefined) return set;
    const changes: Change[] = [
      set,
      {
        kind: 'stage',
        after: { ...now, staged: key },
        send: (service) => service.sysadmin('PUT', path('?stage=true'), { api_key: key }),
      },
      { kind: 'delete', after: {}, send: (service) => service.sysadmin('DELETE', path()) },
    ];
    if (staged !== undefined)
      changes.push({
        kind: 'promote',
        after: { live: staged, previous: live },
        send: (service) => service.sysadmin('POST', path('/promote')),
      });
    if (previous !== undefined)
      changes.push({
        kind: 'roll back',
        after: { live: previous, staged: staged ?? live },
        send: (service) => service.sysadmin('POST', path('/rollback')),
      });
    return changes[Math.floor(this.random() * changes.length)]!;
  }
}

function isStored(state: Slots, masks: Slots): boolean {
  return (['live', 'staged', 'previous'] as const).every(
    (slot) => masks[slot] === (state[slot] && maskOf(state[slot])),
  );
}
