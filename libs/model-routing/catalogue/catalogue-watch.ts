import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Log } from '#log';
import { warningsOf } from './catalogue-check';
import { CatalogueError, describeFinding } from './catalogue-finding';
import { type CatalogueChange, ModelCatalogue } from './model-catalogue';

/**
 * The file is looked at this often, in milliseconds, events or not: no event tells of a network file system, of a
 * directory that was missing, or of a symbolic link further up that now points elsewhere.
 */
const pollMs = 2000;
const eventPauseMs = 100;
/** Unchanged for so long, a file is taken for written to its end. */
const settleMs = 250;
/** A file that never comes to rest is read all the same, after so many looks. */
const maxLooks = 20;
const maxNames = 20;
const maxShownFaults = 10;
/** One line of the log holds them; `models check` has all. */
const maxLoggedFaults = 100;

/**
 * Keeps a catalogue in step with its file. All or nothing: a file with a fault leaves the models in force that were,
 * logs every fault, and shows in `catalogue.fault` until the file is mended. Keeps no process alive.
 */
export class CatalogueWatch {
  private events?: FSWatcher;
  private watchedDirectory?: string;
  /** Ends the wait for the next look. */
  private wake?: () => void;
  private hasEvent = false;
  private isStopped = false;
  /** What the file was when it was last read. */
  private lastState?: string;
  private lastFault?: string;

  private constructor(
    private readonly catalogue: ModelCatalogue,
    private readonly log: Log,
  ) {}

  /** @param catalogue as loaded; what happened to its file since then is found */
  static start(catalogue: ModelCatalogue, log: Log): CatalogueWatch {
    const started = new CatalogueWatch(catalogue, log);
    void started.run();
    return started;
  }

  /** Reads the file now, at rest or not, and logs what came of it. */
  reload(): void {
    if (!this.isStopped) this.read(true);
  }

  stop(): void {
    this.isStopped = true;
    this.events?.close();
    this.wake?.();
  }

  private async run(): Promise<void> {
    for (;;) {
      await this.watchDirectory();
      const state = await this.restingState();
      if (this.isStopped) return;
      if (state !== this.lastState) {
        // The state from before reading: a change while it is read is found by the next look.
        this.lastState = state;
        this.read(false);
      }
      await this.nextLook();
      if (this.isStopped) return;
    }
  }

  private async restingState(): Promise<string> {
    let state = await stateOf(this.catalogue.file);
    for (let looks = 0; state !== this.lastState && looks < maxLooks && !this.isStopped; looks += 1) {
      await sleep(settleMs, undefined, { ref: false });
      const next = await stateOf(this.catalogue.file);
      if (next === state) break;
      state = next;
    }
    return state;
  }

  private async nextLook(): Promise<void> {
    await new Promise<void>((done) => {
      if (this.hasEvent || this.isStopped) return done();
      const timer = setTimeout(done, pollMs).unref();
      this.wake = () => {
        clearTimeout(timer);
        done();
      };
    });
    // In a directory where much is written events never end.
    await sleep(eventPauseMs, undefined, { ref: false });
    this.hasEvent = false;
  }

  private read(isAsked: boolean): void {
    try {
      const next = ModelCatalogue.load(this.catalogue.file);
      this.lastFault = undefined;
      const isMended = this.catalogue.fault !== undefined;
      if (next.digest === this.catalogue.digest && !isMended && !isAsked) return;
      const change = this.catalogue.replaceWith(next);
      const { length } = this.catalogue.all();
      this.log.info(namesOf(change), `the model file was read again: ${length} models; ${countsOf(change)}`);
      for (const warning of warningsOf(this.catalogue)) this.log.warn(warning);
    } catch (error) {
      this.refuse(error, isAsked);
    }
  }

  private refuse(error: unknown, isAsked: boolean): void {
    if (!(error instanceof CatalogueError))
      this.log.error({ err: error }, 'the model file could not be read');
    const { file } = this.catalogue;
    const fault =
      error instanceof CatalogueError
        ? error
        : new CatalogueError([{ severity: 'fault', file, reason: 'it could not be read; the log has why' }]);
    this.catalogue.fault = fault;
    // An event more is no news.
    if (!isAsked && this.lastFault === fault.message) return;
    this.lastFault = fault.message;
    const faults = fault.faults.slice(0, maxLoggedFaults).map(describeFinding);
    this.log.error(
      { faults, count: fault.faults.length },
      'the model file has faults; the models that were in force stay in force',
    );
  }

  /** The directory and not the file: editors and ConfigMaps put another file in its place. */
  private async watchDirectory(): Promise<void> {
    const directory = dirname(this.catalogue.file);
    const identity = await identityOf(directory);
    if (identity === this.watchedDirectory || this.isStopped) return;
    this.watchedDirectory = identity;
    this.events?.close();
    this.events = undefined;
    if (identity === undefined) return;
    try {
      const events = watch(directory, { persistent: false }, () => {
        this.hasEvent = true;
        this.wake?.();
      });
      events.on('error', () => events.close());
      this.events = events;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      this.log.debug(
        { code },
        'there are no file events here; the model file is looked at every two seconds',
      );
    }
  }
}

/** The faults that keep a changed file out of force, for /ready: without directories, and a screenful at most. */
export function staleReason({ fault }: ModelCatalogue): string | undefined {
  if (!fault) return undefined;
  const shown = fault.faults
    .slice(0, maxShownFaults)
    .map((finding) => describeFinding({ ...finding, file: basename(finding.file) }));
  const more = fault.faults.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
}

/** Another text for another file or content: what stat tells of both. Asynchronous: a network's file may hang. */
async function stateOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

/** With its birth: a directory made anew may get the number of the one before it. */
async function identityOf(directory: string): Promise<string | undefined> {
  try {
    const { dev, ino, birthtimeNs } = await stat(directory, { bigint: true });
    return [dev, ino, birthtimeNs].join(' ');
  } catch {
    return undefined;
  }
}

function namesOf(change: CatalogueChange): Record<string, readonly string[]> {
  const { added, removed, changed } = change;
  const lists = Object.entries({ added, removed, changed });
  return Object.fromEntries(lists.filter(([, names]) => names.length > 0 && names.length <= maxNames));
}

function countsOf({ added, removed, changed }: CatalogueChange): string {
  return `${added.length} added, ${removed.length} removed, ${changed.length} changed`;
}
