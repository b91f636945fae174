import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { type Answer, type Outcome, type ServiceProcess, type Services } from './service-processes';
import { isExplained, isStored, type State } from './tenant-state';

interface IssuedKey {
  readonly id: string;
  readonly key: string;
}

interface Change {
  readonly kind: string;
  /** Whether it can be sent again when its result is not known. */
  readonly isRepeatable: boolean;
  /** The key that the calls after it present; by default any. */
  readonly presented?: string;
  run(service: ServiceProcess): Promise<Answer>;
  /** The state once it is made; it becomes possible when the change is sent. */
  readonly after: State;
  /** Called with the answer. @returns what replaces `after`, for a change whose result is not known before */
  done?(answer: Answer): State | void;
}

/** How a change was confirmed. */
export interface Confirmation {
  readonly kind: string;
  readonly processes: number;
  readonly waitedMs: number;
}

/**
 * The changes of one tenant, one after the other, and what each call of the tenant may therefore find: a state between the last
 * one that was answered when the call started, and the last one that was sent when it ended.
 */
export class TenantHistory {
  readonly id = randomUUID();
  readonly confirmations: Confirmation[] = [];
  /** What must not happen, in words. */
  readonly violations: string[] = [];
  calls = 0;
  /** The slowest answer to a call or a change. */
  slowestMs = 0;
  #states: State[] = [{ exists: false, isActive: false, apiKey: undefined, tenantKeys: [] }];
  #answered = 0;
  #keys: IssuedKey[] = [];
  #revoked: string[] = [];
  #staged: string | undefined;
  #previous: string | undefined;

  constructor(
    private readonly services: Services,
    private readonly random: () => number,
    /** The database may be unavailable, so changes are repeated and calls may be refused. */
    private readonly mayBeUnavailable = false,
  ) {}

  /** How many calls were refused because the database was unavailable. */
  unavailable = 0;

  private get state(): State {
    return this.#states.at(-1)!;
  }

  /** Makes one change, and checks it with calls to every process. */
  async step(): Promise<void> {
    const all = this.possibleChanges();
    const changes = all.filter(
      ({ isRepeatable }) => isRepeatable || !this.mayBeUnavailable || all.length === 1,
    );
    const change = this.oneOf(changes);
    await this.make(change, this.oneOf(this.services.all));
    await Promise.all(this.services.all.map((service) => this.call(service, change.presented)));
  }

  /** A call while changes go on. */
  async call(service: ServiceProcess, presented = this.anyKey()): Promise<Outcome> {
    const first = this.#answered;
    const outcome = await this.timed(this.services.call(service, this.id, presented));
    const states = this.#states.slice(first);
    this.calls += 1;
    if (this.mayBeUnavailable && outcome.code === 'credential_store_unavailable') this.unavailable += 1;
    else if (!isExplained(outcome, presented, states)) {
      const process = this.services.all.indexOf(service);
      this.violations.push(
        `process ${process} returned ${JSON.stringify(outcome)} for ${presented ? 'a tenant key' : 'the platform key'} although the state was ${JSON.stringify(states)}`,
      );
    }
    return outcome;
  }

  /** Whether the database holds what the last answered change left. */
  isKept(): Promise<boolean> {
    return isStored(this.services, this.id, this.state);
  }

  private async make(change: Change, service: ServiceProcess): Promise<void> {
    this.#states.push(change.after);
    let answer = await this.timed(change.run(service));
    while (answer.status === 503 && this.mayBeUnavailable) {
      await wait(50);
      answer = await this.timed(change.run(service));
    }
    if (answer.status >= 300) {
      throw new Error(`${change.kind} returned ${answer.status} ${answer.body?.code}: ${service.faults()}`);
    }
    const [, processes, waitedMs] =
      /^processes=(\d+); waited_ms=(\d+)$/.exec(String(answer.headers['x-tenkey-in-force'])) ?? [];
    this.confirmations.push({
      kind: change.kind,
      processes: Number(processes),
      waitedMs: Number(waitedMs),
    });
    const actual = change.done?.(answer);
    if (actual) this.#states.push(actual);
    this.#answered = this.#states.length - 1;
  }

  private async timed<T>(answer: Promise<T>): Promise<T> {
    const sent = performance.now();
    const received = await answer;
    this.slowestMs = Math.max(this.slowestMs, performance.now() - sent);
    return received;
  }

  private possibleChanges(): Change[] {
    const { state } = this;
    const path = `/tenants/${this.id}`;
    if (!state.exists) return [this.creation()];
    const changes = [
      this.put(),
      ...(state.apiKey === undefined ? [this.put()] : [this.put(), this.deletion()]),
      this.promotion(),
      ...(this.#previous === undefined ? [] : [this.rollback(this.#previous)]),
      ...(state.tenantKeys.length < 4 ? [this.newKey()] : []),
      ...this.#keys.map((key) => this.revocation(key)),
    ];
    const isActive = !state.isActive;
    const toggle: Change = {
      kind: isActive ? 'reactivation' : 'suspension',
      isRepeatable: true,
      run: (service) => service.sysadmin('PATCH', path, { state: isActive ? 'active' : 'suspended' }),
      after: { ...state, isActive },
    };
    const removal: Change = {
      kind: 'deletion of a tenant',
      isRepeatable: false,
      run: (service) => service.sysadmin('DELETE', path),
      after: { exists: false, isActive: false, apiKey: undefined, tenantKeys: [] },
      done: () => this.forget(),
    };
    // While the tenant is suspended, most other changes cannot be seen.
    return isActive ? [toggle, toggle, toggle, ...changes] : [...changes, toggle, removal];
  }

  private creation(): Change {
    const body = { id: this.id, name: `tenant-${this.id}` };
    return {
      kind: 'creation of a tenant',
      isRepeatable: false,
      run: (service) => service.sysadmin('POST', '/tenants', body),
      after: { exists: true, isActive: true, apiKey: undefined, tenantKeys: [] },
    };
  }

  private put(): Change {
    const { state } = this;
    const apiKey = newApiKey();
    return {
      kind: state.apiKey === undefined ? 'PUT where nothing was' : 'PUT',
      isRepeatable: true,
      run: (service) => service.sysadmin('PUT', this.credential(), { api_key: apiKey }),
      after: { ...state, apiKey },
      done: () => void (this.#previous = undefined),
    };
  }

  private deletion(): Change {
    return {
      kind: 'DELETE',
      isRepeatable: true,
      run: (service) => service.sysadmin('DELETE', this.credential()),
      after: { ...this.state, apiKey: undefined },
      done: () => {
        this.#staged = undefined;
        this.#previous = undefined;
      },
    };
  }

  private promotion(): Change {
    const { state } = this;
    const staged = this.#staged ?? newApiKey();
    return {
      kind: 'promotion',
      isRepeatable: false,
      run: async (service) => {
        if (this.#staged === undefined)
          await service.change('PUT', this.credential('?stage=true'), { api_key: staged });
        return service.sysadmin('POST', this.credential('/promote'));
      },
      after: { ...state, apiKey: staged },
      done: () => {
        this.#staged = undefined;
        this.#previous = state.apiKey;
      },
    };
  }

  private rollback(previous: string): Change {
    const { state } = this;
    return {
      kind: 'rollback',
      isRepeatable: false,
      run: (service) => service.sysadmin('POST', this.credential('/rollback')),
      after: { ...state, apiKey: previous },
      done: () => {
        this.#staged ??= state.apiKey;
        this.#previous = undefined;
      },
    };
  }

  private newKey(): Change {
    const { state } = this;
    const path = `/tenants/${this.id}/keys`;
    const change: { presented?: string } & Change = {
      kind: 'creation of a tenant key',
      isRepeatable: true,
      run: (service) => service.sysadmin('POST', path, { name: 'a test' }),
      after: state,
      done: ({ body: { id, key } }) => {
        change.presented = key;
        this.#keys.push({ id, key });
        return { ...state, tenantKeys: [...state.tenantKeys, key] };
      },
    };
    return change;
  }

  private revocation({ id, key }: IssuedKey): Change {
    const { state } = this;
    return {
      kind: 'revocation of a tenant key',
      isRepeatable: true,
      presented: key,
      run: (service) => service.sysadmin('DELETE', `/tenants/${this.id}/keys/${id}`),
      after: { ...state, tenantKeys: state.tenantKeys.filter((each) => each !== key) },
      done: () => {
        this.#keys = this.#keys.filter((each) => each.id !== id);
        this.#revoked = [key, ...this.#revoked].slice(0, 2);
      },
    };
  }

  private forget(): void {
    this.#revoked = this.#keys.map(({ key }) => key).slice(0, 2);
    this.#keys = [];
    this.#staged = undefined;
    this.#previous = undefined;
  }

  private credential(suffix = ''): string {
    return `/tenants/${this.id}/credentials/openai${suffix}`;
  }

  /** A tenant key, maybe one that was revoked; undefined: the platform key. */
  private anyKey(): string | undefined {
    return this.oneOf([undefined, ...this.#keys.map(({ key }) => key), ...this.#revoked]);
  }

  private oneOf<T>(all: readonly T[]): T {
    return all[Math.floor(this.random() * all.length)]!;
  }
}

function newApiKey(): string {
  return `sk-${randomUUID()}`;
}
