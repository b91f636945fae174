import { type Config } from '#config';
import { waitAtStop } from './stop-wait';

const HOUR_MS = 60 * 60 * 1000;

/** Runs a sweep at the start and every hour, one after the other. The start does not wait for the first one. */
export class HourlySweep {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #isStopping = false;

  /** @param onFailure is told why a sweep failed; the next one follows in an hour */
  constructor(
    private readonly sweep: () => Promise<unknown>,
    private readonly onFailure: (error: Error) => void,
  ) {}

  /** True when the process stops: a long sweep must then leave the rest. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  start(): void {
    this.#run();
    this.#timer = setInterval(() => this.#run(), HOUR_MS).unref();
  }

  /** Waits for a sweep that is running, like all work of the database. */
  async stop(config: Config): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#timer);
    await waitAtStop(this.#running, config);
  }

  #run(): void {
    this.#running = this.#running
      .then(() => this.sweep())
      .then(
        () => undefined,
        (error: unknown) => this.onFailure(error as Error),
      );
  }
}
