import { LRUCache } from 'lru-cache';
import { type Lease } from './lease';

/** A value that was read from the database. */
export interface Loaded<T> {
  readonly value: T;
  /** The tenant that it belongs to; undefined: no one tenant, as for a key that does not exist. Any change drops it. */
  readonly tenantId: string | undefined;
  /** How much memory the value takes, in bytes; an estimate. */
  readonly bytes: number;
}

interface Entry {
  readonly value: unknown;
  readonly tenantId: string | undefined;
  /** On the monotonic clock, in milliseconds. */
  readonly readAt: number;
}

/** A read of the database whose result may be kept. */
export interface Fill {
  readonly key: string;
  /** Undefined: not known before the row is read. */
  readonly tenantId: string | undefined;
  /** When it began, on the monotonic clock. */
  readonly readAt: number;
  /** True when what it reads may have changed since it began. */
  isStale: boolean;
  result?: Promise<unknown>;
}

/** What the changes of some tenants, or of all, make invalid. */
export type Changed = readonly string[] | 'all';

/** The entry, its key, its place in the index and in the LRU list. */
const ENTRY_BYTES = 600;
/** An older entry is read again, in case a trigger was disabled or the number of the last change was set back in SQL. */
const MAXIMUM_AGE_MS = 60_000;

/**
 * Rows of the database, as long as the lease is valid. The entries that were used least recently are dropped when the memory
 * is used up.
 */
export class LeasedStore {
  private readonly entries: LRUCache<string, Entry>;
  /** The keys of each tenant's entries; under '' of those that belong to no one tenant. */
  private readonly keysOf = new Map<string, Set<string>>();
  private readonly fills = new Set<Fill>();
  /** The fills that a read of the same key may join. */
  private readonly joinable = new Map<string, Fill>();
  private drops = 0;
  /** False while a change could be missed: nothing new is kept. */
  private isKeeping = false;

  /** @param monotonic the clock of the ages of entries, in milliseconds */
  constructor(
    private readonly lease: Lease,
    private readonly monotonic: () => number,
    maximumBytes: number,
  ) {
    this.entries = new LRUCache<string, Entry>({
      maxSize: maximumBytes,
      dispose: (entry, key) => this.forgetKey(entry.tenantId ?? '', key),
    });
  }

  /** How often something was dropped. What was looked up before and after an equal number was valid at one moment. */
  get dropCount(): number {
    return this.drops;
  }

  get bytes(): number {
    return this.entries.calculatedSize;
  }

  get size(): number {
    return this.entries.size;
  }

  /** @returns undefined when the value must be read */
  get(key: string): { readonly value: unknown } | undefined {
    if (!this.lease.isValid) return undefined;
    const entry = this.entries.get(key);
    // While nothing new is kept, what is cached serves until the lease expires.
    if (entry === undefined || !this.isKeeping || this.monotonic() - entry.readAt < MAXIMUM_AGE_MS)
      return entry;
    this.entries.delete(key);
    return undefined;
  }

  /**
   * Reads the value, and keeps it if nothing that it may depend on has changed meanwhile. Joins a read of the same key, but
   * none that began before a change that this process has learned of, and without a valid lease none at all.
   * @param tenantId undefined: not known before the row is read
   */
  read<T>(key: string, tenantId: string | undefined, load: () => Promise<Loaded<T>>): Promise<T> {
    const running = this.joinableFill(key);
    if (running !== undefined) return running.result as Promise<T>;
    const fill = this.beginFill(key, tenantId);
    const result = load().then(
      (loaded) => {
        this.endFill(fill, loaded);
        return loaded.value;
      },
      (error: unknown) => {
        this.endFill(fill);
        throw error;
      },
    );
    fill.result = result;
    return result;
  }

  /** The running fill that a read may join. */
  joinableFill(key: string): Fill | undefined {
    return this.lease.isValid ? this.joinable.get(key) : undefined;
  }

  beginFill(key: string, tenantId: string | undefined): Fill {
    const fill: Fill = { key, tenantId, readAt: this.monotonic(), isStale: !this.isKeeping };
    this.fills.add(fill);
    if (!fill.isStale) this.joinable.set(key, fill);
    return fill;
  }

  /** @param loaded undefined when the read failed */
  endFill(fill: Fill, loaded?: Loaded<unknown>): void {
    this.fills.delete(fill);
    if (this.joinable.get(fill.key) === fill) this.joinable.delete(fill.key);
    if (loaded !== undefined && !fill.isStale) this.keep(fill, loaded);
  }

  /** Drops the entries of the tenants, and makes sure that no running read of them is kept. */
  drop(changed: Changed): void {
    this.drops += 1;
    if (changed === 'all') {
      this.entries.clear();
    } else {
      for (const tenantId of changed) this.dropEntriesOf(tenantId);
      this.dropEntriesOf('');
    }
    for (const fill of this.fills) {
      const { tenantId } = fill;
      if (changed === 'all' || tenantId === undefined || changed.includes(tenantId)) fill.isStale = true;
    }
    for (const [key, fill] of this.joinable) if (fill.isStale) this.joinable.delete(key);
  }

  /** From now on, what is read is kept. */
  startKeeping(): void {
    this.isKeeping = true;
  }

  /** From now on a change could be missed, so what is being read now is not kept either. What is cached stays. */
  stopKeeping(): void {
    this.isKeeping = false;
    for (const fill of this.fills) fill.isStale = true;
  }

  private keep({ key, readAt }: Fill, { value, tenantId, bytes }: Loaded<unknown>): void {
    this.entries.set(key, { value, tenantId, readAt }, { size: ENTRY_BYTES + 2 * key.length + bytes });
    if (!this.entries.has(key)) return;
    const name = tenantId ?? '';
    const keys = this.keysOf.get(name);
    if (keys === undefined) this.keysOf.set(name, new Set([key]));
    else keys.add(key);
  }

  private dropEntriesOf(tenantId: string): void {
    for (const key of [...(this.keysOf.get(tenantId) ?? [])]) this.entries.delete(key);
  }

  private forgetKey(tenantId: string, key: string): void {
    const keys = this.keysOf.get(tenantId);
    if (keys?.delete(key) === true && keys.size === 0) this.keysOf.delete(tenantId);
  }
}
