import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Config } from '#config';
import { type Log } from '#log';
import { warningsOf } from './catalogue-check';
import { CatalogueError, describeFinding } from './catalogue-finding';
import { type CatalogueChange, ModelCatalogue } from './model-catalogue';

/**
 * The file is checked this often even without an event. No event reports a change on a network file system, the creation of a
 * missing directory, or a changed symbolic link further up the path.
 */
const pollMs = 2000;
const eventPauseMs = 100;
/** A file that is unchanged for this long counts as completely written. */
const settleMs = 250;
/** A file that keeps changing is read anyway after this many checks. */
const maxChecks = 20;
const maxNames = 20;
const maxReportedFaults = 10;
/** Bounds the length of the log line; `models check` prints all faults. */
const maxLoggedFaults = 100;

/**
 * Keeps a catalogue equal to its file, as a whole or not at all. When the file has a fault, the previous models stay in force,
 * every fault is logged, and `catalogue.fault` is set until the file is fixed. The watch does not keep the process running.
 */
export class CatalogueWatch {
  private events?: FSWatcher;
  private watchedDirectory?: string;
  /** Stops the wait for the next check. */
  private wake?: () => void;
  private hasEvent = false;
  private isStopped = false;
  /** The state of the file when it was last read. */
  private lastState?: string;
  private lastFault?: string;

  private constructor(
    private readonly catalogue: ModelCatalogue,
    private readonly log: Log,
    private readonly config: Pick<Config, 'faultsOfDeclared'>,
  ) {}

  /** @param catalogue a loaded catalogue; changes of its file since then are noticed */
  static start(
    catalogue: ModelCatalogue,
    log: Log,
    config: Pick<Config, 'faultsOfDeclared'>,
  ): CatalogueWatch {
    const started = new CatalogueWatch(catalogue, log, config);
    void started.run();
    return started;
  }

  /** Reads the file now, even if it has just changed, and logs the result. */
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
      const state = await this.settledState();
      if (this.isStopped) return;
      if (state !== this.lastState) {
        // Keep the state from before reading, so that the next check notices a change during reading.
        this.lastState = state;
        this.read(false);
      }
      await this.nextCheck();
      if (this.isStopped) return;
    }
  }

  private async settledState(): Promise<string> {
    let state = await stateOf(this.catalogue.file);
    for (let checks = 0; state !== this.lastState && checks < maxChecks && !this.isStopped; checks += 1) {
      await sleep(settleMs, undefined, { ref: false });
      const next = await stateOf(this.catalogue.file);
      if (next === state) break;
      state = next;
    }
    return state;
  }

  private async nextCheck(): Promise<void> {
    await new Promise<void>((done) => {
      if (this.hasEvent || this.isStopped) return done();
      const timer = setTimeout(done, pollMs).unref();
      this.wake = () => {
        clearTimeout(timer);
        done();
      };
    });
    // Pause, because a busy directory sends events without end.
    await sleep(eventPauseMs, undefined, { ref: false });
    this.hasEvent = false;
  }

  private read(isRequested: boolean): void {
    try {
      const next = ModelCatalogue.load(this.catalogue.file);
      this.lastFault = undefined;
      const isFixed = this.catalogue.fault !== undefined;
      if (next.digest === this.catalogue.digest && !isFixed && !isRequested) return;
      const change = this.catalogue.replaceWith(next);
      const { length } = this.catalogue.all();
      this.log.info(
        { ...namesOf(change), ...declaredIn(this.catalogue) },
        `the model file was reloaded: ${length} models; ${countsOf(change)}`,
      );
      for (const warning of warningsOf(this.catalogue)) this.log.warn(warning);
      // The calls that need one of these variables fail and name it. A start would have stopped.
      const { declared } = this.catalogue.providers;
      for (const fault of this.config.faultsOfDeclared(declared)) this.log.error(fault);
    } catch (error) {
      this.refuse(error, isRequested);
    }
  }

  private refuse(error: unknown, isRequested: boolean): void {
    if (!(error instanceof CatalogueError))
      this.log.error({ err: error }, 'the model file could not be read');
    const { file } = this.catalogue;
    const fault =
      error instanceof CatalogueError
        ? error
        : new CatalogueError([
            { severity: 'fault', file, reason: 'the file could not be read; the log has the cause' },
          ]);
    this.catalogue.fault = fault;
    // Log the same fault only once.
    if (!isRequested && this.lastFault === fault.message) return;
    this.lastFault = fault.message;
    const faults = fault.faults.slice(0, maxLoggedFaults).map(describeFinding);
    this.log.error(
      { faults, count: fault.faults.length },
      'the model file has faults; the previous models stay in force',
    );
  }

  /** Watches the directory and not the file, because editors and ConfigMaps replace the file. */
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
      this.log.debug({ code }, 'file events are not available; the model file is checked every two seconds');
    }
  }
}

/** Why the current file is not in force, for /ready: at most ten faults, without directories. Undefined when it is. */
export function staleReason({ fault }: ModelCatalogue): string | undefined {
  if (!fault) return undefined;
  const lines = fault.faults
    .slice(0, maxReportedFaults)
    .map((finding) => describeFinding({ ...finding, file: basename(finding.file) }));
  const more = fault.faults.length - lines.length;
  return [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
}

/** A text that changes with the file or its content. Asynchronous, because a network file system may hang. */
async function stateOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

/** A text that changes when the directory is replaced. It has the time of creation, because inode numbers are reused. */
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

function declaredIn({ providers: { declared } }: ModelCatalogue): { providers?: string[] } {
  return declared.length > 0 ? { providers: declared.map(({ id }) => id) } : {};
}

function countsOf({ added, removed, changed }: CatalogueChange): string {
  return `${added.length} added, ${removed.length} removed, ${changed.length} changed`;
}
