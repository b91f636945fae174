import { isAwaited, RegistryObservations, type RegisteredProcess } from '../../libs/cache/confirmation';
import { type Clock, Lease, type Moment, momentOf } from '../../libs/cache/lease';
import { type Fill, LeasedStore } from '../../libs/cache/leased-store';
import { Membership } from '../../libs/cache/membership';

const TENANT = 'a';
/** In ticks. A process that waits gives up after a lease and a tenth, so after two ticks. */
const LEASE = 1;

class SimulatedClock implements Clock {
  now = 0;
  monotonic(): number {
    return this.now;
  }
  wall(): number {
    return this.now;
  }
}

interface Statement {
  readonly kind: 'register' | 'renew';
  readonly id: number;
  /** The registration that this one is in place of. */
  readonly earlierId: number;
  readonly confirmed: number;
  readonly sent: Moment;
}
type Message =
  | { readonly kind: 'notification'; readonly number: number }
  | { readonly kind: 'response'; readonly statement: Statement; readonly number: number | undefined };

/** The connection of the caching process that receives notifications. */
interface Connection {
  /** Committed, and not sent by the server yet. */
  announced: number[];
  /** What the server has sent, in its order. */
  readonly messages: Message[];
  /** Sent by the process and not executed yet. */
  statement: Statement | undefined;
}

/** A call that reads the row, and the newest change that was answered when it started. */
interface Call {
  readonly fill: Fill;
  readonly answered: number;
}

export interface Limits {
  /** How many calls may be waiting for a read of the row. */
  readonly calls: number;
  readonly changes: number;
  /** How often the connection may be lost. */
  readonly losses: number;
  readonly lostNotifications: number;
  /** The process that waits may find the database unavailable, and then waits out the lease. */
  readonly unavailable?: boolean;
  /** Plants a fault in the code of the protocol. */
  readonly plant?: (world: World) => void;
}

/** One process that caches a row, one that changes it, and the database. The row's value is the number of its last change. */
export class World {
  readonly clock = new SimulatedClock();
  readonly lease = new Lease(LEASE, this.clock);
  readonly store = storeWith(this.lease, this.clock);
  readonly membership = new Membership(this.lease, this.store);

  // The database.
  number = 0;
  value = 0;
  registry: RegisteredProcess[] = [];
  /** Statements of lost connections, which the server may still execute. */
  orphans: Statement[] = [];

  // The caching process.
  connection: Connection | undefined;
  id = 0;
  lastId = 0;
  /** Reads that were sent and, once executed, their values. */
  reads: { fill: Fill; value: number | undefined }[] = [];
  calls: Call[] = [];

  // The changing process.
  observations = new RegistryObservations();
  waitsFor: number | undefined;
  committedAt = 0;
  /** When the read of the registry was sent that has not returned. */
  registryReadSent: number | undefined;
  /** Silent processes whose deletion was sent. */
  deletions: RegisteredProcess[] = [];
  answered = 0;

  changes = 0;
  losses = 0;
  lostNotifications = 0;

  constructor(readonly limits: Limits) {
    limits.plant?.(this);
  }

  /** What can happen next, by name. Each function changes the world. */
  actions(): Map<string, () => void> {
    const actions = new Map<string, () => void>();
    actions.set('time passes', () => (this.clock.now += 1));
    this.callingActions(actions);
    this.listeningActions(actions);
    this.changingActions(actions);
    return actions;
  }

  private callingActions(actions: Map<string, () => void>): void {
    const { store } = this;
    if (this.calls.length < this.limits.calls) {
      actions.set('a call starts', () => {
        const cached = store.get('row');
        if (cached !== undefined) return this.check(cached.value as number, this.answered);
        let fill = store.joinableFill('row');
        if (fill === undefined) {
          fill = store.beginFill('row', TENANT);
          this.reads.push({ fill, value: undefined });
        }
        this.calls.push({ fill, answered: this.answered });
      });
    }
    this.reads.forEach((read, index) => {
      if (read.value === undefined) actions.set(`read ${index} is executed`, () => (read.value = this.value));
      else
        actions.set(`read ${index} returns`, () => {
          this.reads.splice(index, 1);
          store.endFill(read.fill, { value: read.value, tenantId: TENANT, bytes: 1 });
          for (const call of this.calls.filter(({ fill }) => fill === read.fill)) {
            this.check(read.value!, call.answered);
          }
          this.calls = this.calls.filter(({ fill }) => fill !== read.fill);
        });
    });
  }

  private listeningActions(actions: Map<string, () => void>): void {
    const { connection, membership } = this;
    this.orphans.forEach((statement, index) => {
      actions.set(`orphan ${index} is executed`, () => {
        this.orphans.splice(index, 1);
        this.execute(statement);
      });
    });
    if (connection === undefined) {
      if (this.losses <= this.limits.losses) {
        actions.set('the process connects and listens', () => {
          membership.connected();
          this.connection = { announced: [], messages: [], statement: this.statement('register') };
        });
      }
      return;
    }
    const { announced, messages, statement } = connection;
    if (this.losses < this.limits.losses) {
      actions.set('the connection is lost', () => {
        this.losses += 1;
        if (statement !== undefined) this.orphans.push(statement);
        this.connection = undefined;
        membership.disconnected();
      });
    }
    if (announced.length > 0) {
      actions.set('the server sends a notification', () => {
        messages.push({ kind: 'notification', number: announced.shift()! });
      });
      if (this.lostNotifications < this.limits.lostNotifications) {
        actions.set('a notification is lost', () => {
          this.lostNotifications += 1;
          announced.shift();
        });
      }
    }
    if (statement !== undefined) {
      actions.set('the statement is executed', () => {
        connection.statement = undefined;
        messages.push({ kind: 'response', statement, number: this.execute(statement) });
      });
    } else if (membership.isRegistered && !messages.some(({ kind }) => kind === 'response')) {
      actions.set('a renewal is sent', () => (connection.statement = this.statement('renew')));
    }
    if (messages.length > 0)
      actions.set('a message arrives', () => this.arrive(connection, messages.shift()!));
  }

  private arrive(connection: Connection, message: Message): void {
    const { membership } = this;
    if (message.kind === 'notification') {
      return membership.notified({ number: message.number, changed: [TENANT] });
    }
    const { statement, number } = message;
    if (number === undefined) {
      membership.forgotten();
      connection.statement = this.statement('register');
    } else if (statement.kind === 'register') {
      this.id = statement.id;
      membership.registered(number, statement.sent);
    } else {
      membership.renewed(number, statement.confirmed, statement.sent);
    }
  }

  private changingActions(actions: Map<string, () => void>): void {
    const { waitsFor, registryReadSent } = this;
    if (waitsFor === undefined) {
      if (this.changes < this.limits.changes) {
        actions.set('a change is committed', () => {
          this.changes += 1;
          this.number += 1;
          this.value = this.number;
          this.connection?.announced.push(this.number);
          this.waitsFor = this.number;
          this.committedAt = this.clock.now;
        });
      }
      return;
    }
    if (this.limits.unavailable && this.clock.now - this.committedAt > LEASE * 1.1) {
      actions.set('the lease was waited out', () => this.answer(waitsFor));
    }
    if (this.deletions.length > 0) {
      actions.set('a silent process is deleted', () => {
        const { id, renewals } = this.deletions.shift()!;
        this.registry = this.registry.filter((each) => each.id !== id || each.renewals !== renewals);
      });
    } else if (registryReadSent === undefined) {
      actions.set('the registry is read', () => (this.registryReadSent = this.clock.now));
    } else {
      actions.set('the registry arrives', () => {
        this.registryReadSent = undefined;
        const silent = this.observations.observe(this.registry, registryReadSent, this.clock.now);
        this.deletions = silent;
        if (!this.registry.some((process) => isAwaited(process, waitsFor))) this.answer(waitsFor);
      });
    }
  }

  private answer(number: number): void {
    this.answered = number;
    this.waitsFor = undefined;
    this.deletions = [];
    this.registryReadSent = undefined;
  }

  private statement(kind: Statement['kind']): Statement {
    const { confirmed } = this.membership;
    const id = kind === 'register' ? (this.lastId += 1) : this.id;
    return { kind, id, earlierId: this.id, confirmed, sent: momentOf(this.clock) };
  }

  /** @returns the number of the last change; undefined when the process is not registered */
  private execute({ kind, id, earlierId, confirmed }: Statement): number | undefined {
    if (kind === 'register') {
      const registered = { id: String(id), leaseMs: LEASE, renewals: 0, confirmed: this.number };
      this.registry = [...this.registry.filter((each) => each.id !== String(earlierId)), registered];
      return this.number;
    }
    const known = this.registry.find((each) => each.id === String(id));
    if (known === undefined) return undefined;
    const renewed = {
      ...known,
      renewals: known.renewals + 1,
      confirmed: Math.min(confirmed, this.number),
    };
    this.registry = this.registry.map((each) => (each === known ? renewed : each));
    return this.number;
  }

  private check(used: number, answered: number): void {
    if (used < answered) throw new Error(`a call used ${used} although ${answered} was answered before it`);
  }
}

export interface Explored {
  readonly states: number;
  /** How many states come after a change that was answered. */
  readonly answered: number;
  /** In how many states a call would find the row in the cache. */
  readonly cached: number;
}

/** The last of the actions that lead to a state. */
interface Path {
  readonly action: string;
  readonly before: Path | undefined;
}

function namesIn(path: Path | undefined): string[] {
  return path === undefined ? [] : [...namesIn(path.before), path.action];
}

/**
 * Runs the protocol's own code on a simulated clock, network and database, and visits every state that can be reached, the
 * nearest first. Each action may happen at any time after what causes it, so a process that hangs is one that does nothing.
 * @throws Error with the shortest way to a call that used what was before an answered change
 */
export function explore(limits: Limits): Explored {
  const first = new World(limits);
  const seen = new Set([fingerprintOf(first)]);
  let frontier: { world: World; path: Path | undefined }[] = [{ world: first, path: undefined }];
  let answered = 0;
  let cached = 0;
  while (frontier.length > 0) {
    const next: typeof frontier = [];
    for (const { world, path: before } of frontier) {
      if (world.store.get('row') !== undefined) cached += 1;
      if (world.answered > 0) answered += 1;
      const actions = [...world.actions()];
      for (const [index, [action, act]] of actions.entries()) {
        const path = { action, before };
        // Nobody needs the state itself after its last action.
        const isLast = index === actions.length - 1;
        const after = isLast ? world : clone(world);
        try {
          if (isLast) act();
          else after.actions().get(action)!();
        } catch (error) {
          const text = `${(error as Error).message}:\n  ${namesIn(path).join('\n  ')}`;
          throw new Error(text, { cause: error });
        }
        const fingerprint = fingerprintOf(after);
        if (seen.has(fingerprint)) continue;
        seen.add(fingerprint);
        next.push({ world: after, path });
      }
    }
    frontier = next;
  }
  return { states: seen.size, answered, cached };
}

/** A store on a map instead of the LRU cache, which is not explored here and slow to copy. */
function storeWith(lease: Lease, clock: Clock): LeasedStore {
  const fields = {
    lease,
    monotonic: () => clock.monotonic(),
    entries: new Map(),
    keysOf: new Map(),
    fills: new Set(),
    joinable: new Map(),
    drops: 0,
    isKeeping: false,
  };
  return Object.assign(Object.create(LeasedStore.prototype) as LeasedStore, fields);
}

/** A copy with its own state. */
function clone(world: World): World {
  const copy = new World(world.limits);
  const fills = new Map<Fill, Fill>();
  const fillOf = (fill: Fill): Fill => {
    const known = fills.get(fill) ?? { ...fill };
    fills.set(fill, known);
    return known;
  };
  copy.clock.now = world.clock.now;
  assignFields(copy.lease, world.lease, ['untilMonotonic', 'untilWall']);
  assignFields(copy.membership, world.membership, ['state', 'applied', 'awaited']);
  const from = world.store as unknown as StoreFields;
  const to = copy.store as unknown as StoreFields;
  to.entries = new Map(from.entries);
  for (const [tenant, keys] of from.keysOf) to.keysOf.set(tenant, new Set(keys));
  for (const fill of from.fills) to.fills.add(fillOf(fill));
  for (const [key, fill] of from.joinable) to.joinable.set(key, fillOf(fill));
  to.isKeeping = from.isKeeping;
  const { connection } = world;
  copy.number = world.number;
  copy.value = world.value;
  copy.id = world.id;
  copy.lastId = world.lastId;
  copy.waitsFor = world.waitsFor;
  copy.committedAt = world.committedAt;
  copy.registryReadSent = world.registryReadSent;
  copy.answered = world.answered;
  copy.changes = world.changes;
  copy.losses = world.losses;
  copy.lostNotifications = world.lostNotifications;
  copy.registry = [...world.registry];
  copy.orphans = [...world.orphans];
  copy.connection = connection && {
    announced: [...connection.announced],
    messages: [...connection.messages],
    statement: connection.statement,
  };
  copy.reads = world.reads.map(({ fill, value }) => ({ fill: fillOf(fill), value }));
  copy.calls = world.calls.map(({ fill, answered }) => ({ fill: fillOf(fill), answered }));
  assignFields(copy.observations, world.observations, ['seen', 'longest']);
  copy.deletions = [...world.deletions];
  return copy;
}

interface StoreFields {
  entries: Map<string, { readonly value: unknown }>;
  readonly keysOf: Map<string, Set<string>>;
  readonly fills: Set<Fill>;
  readonly joinable: Map<string, Fill>;
  isKeeping: boolean;
}

function assignFields(to: object, from: object, names: readonly string[]): void {
  for (const name of names) {
    if (!(name in from)) throw new Error(`there is no field ${name}`);
    (to as Record<string, unknown>)[name] = (from as Record<string, unknown>)[name];
  }
}

/**
 * Equal for two worlds in which the same can happen. Times are relative to now and limited to what makes a difference; ids are
 * numbered by their first appearance, and numbers of renewals by their order.
 */
function fingerprintOf(world: World): string {
  const { clock, membership, connection, registryReadSent } = world;
  const store = world.store as unknown as StoreFields;
  const observed = [
    ...(world.observations as unknown as { seen: Map<string, { renewals: number; since: number }> }).seen,
  ];
  const ids: string[] = [];
  const idOf = (id: string | number) => {
    const known = ids.indexOf(String(id));
    return known >= 0 ? known : ids.push(String(id)) - 1;
  };
  const rows = [...world.registry, ...world.deletions];
  const rank = (id: string, renewals: number) => {
    const lower: number[] = [];
    const count = (each: number) => {
      if (each < renewals && !lower.includes(each)) lower.push(each);
    };
    for (const row of rows) if (row.id === id) count(row.renewals);
    for (const [of, observation] of observed) if (of === id) count(observation.renewals);
    return lower.length;
  };
  const rowOf = (row: RegisteredProcess) => `${idOf(row.id)},${rank(row.id, row.renewals)},${row.confirmed}`;
  const age = (moment: number) => Math.min(clock.now - moment, LEASE);
  const statementOf = (statement: Statement | undefined) =>
    statement &&
    `${statement.kind},${idOf(statement.id)},${idOf(statement.earlierId)},${statement.confirmed},${age(statement.sent.monotonic)}`;
  const messageOf = (message: Message) =>
    message.kind === 'notification'
      ? `${message.number}`
      : `(${statementOf(message.statement)}),${message.number}`;
  const { state, applied, awaited } = membership as unknown as Record<string, unknown>;
  const sinceCommit =
    world.limits.unavailable &&
    world.waitsFor !== undefined &&
    Math.min(clock.now - world.committedAt, LEASE + 1);
  const lease = Math.max(
    (world.lease as unknown as { untilMonotonic: number }).untilMonotonic - clock.now,
    0,
  );
  const cached = [...store.entries.values()].map(({ value }) => String(value));
  const joinable = store.joinable.get('row');
  // One text, put together by hand: this takes most of the time of an exploration, and JSON would take three times as long.
  const parts = [
    `${world.number},${world.changes},${world.losses},${world.lostNotifications},${world.waitsFor},${world.answered}`,
    `${sinceCommit},${idOf(world.id)}`,
    world.registry.map(rowOf).join(';'),
    world.orphans.map(statementOf).join(';'),
    connection &&
      `${connection.announced.join()}/${connection.messages.map(messageOf).join(';')}/${statementOf(connection.statement)}`,
    `${String(state)},${String(applied)},${String(awaited)},${store.isKeeping},${lease},${cached.join()}`,
    world.reads.map(({ fill, value }) => `${value},${fill.isStale},${joinable === fill}`).join(';'),
    world.calls
      .map(({ fill, answered }) => `${world.reads.findIndex((read) => read.fill === fill)},${answered}`)
      .join(';'),
    observed
      .map(([id, { renewals, since }]) => {
        const known = registryReadSent !== undefined && Math.min(registryReadSent - since, LEASE + 1);
        return `${idOf(id)},${rank(id, renewals)},${Math.min(clock.now - since, LEASE + 1)},${known}`;
      })
      .join(';'),
    `${registryReadSent === undefined},${world.deletions.map(rowOf).join(';')}`,
  ];
  return parts.join('|');
}
