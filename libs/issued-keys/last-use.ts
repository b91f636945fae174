import { Logger } from '@nestjs/common';

/** How often the time of a key's last use is written, at most. */
const MINUTE_MS = 60_000;

/**
 * Notes when a key was used: at most once a minute for each, after the call has gone on, one write at a time. A write that
 * fails fails no call.
 */
export class LastUse {
  readonly #log = new Logger('access');
  /** Keys whose time is being written. */
  readonly #waiting = new Set<string>();
  #writing: Promise<void> = Promise.resolve();

  /** @param write sets the time of one key, unless another process did within the minute */
  constructor(private readonly write: (issuedKeyId: string) => Promise<unknown>) {}

  note(issuedKeyId: string, lastUsedAt: Date | null): void {
    const isRecent = lastUsedAt !== null && Date.now() - lastUsedAt.getTime() < MINUTE_MS;
    if (isRecent || this.#waiting.has(issuedKeyId)) return;
    this.#waiting.add(issuedKeyId);
    this.#writing = this.#writing
      .then(() => this.write(issuedKeyId))
      .catch((error: unknown) => {
        const cause = error instanceof Error ? error.name : 'unknown';
        this.#log.warn(`the last use of key ${issuedKeyId} was not noted: ${cause}`);
      })
      .then(() => void this.#waiting.delete(issuedKeyId));
  }

  /** Resolves when nothing is left to write. */
  async written(): Promise<void> {
    await this.#writing;
  }
}
