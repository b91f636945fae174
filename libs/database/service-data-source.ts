import { DataSource, type DataSourceOptions, type EntityManager } from 'typeorm';

type Run<T> = (transaction: EntityManager) => Promise<T>;
type Isolation = Parameters<DataSource['transaction']>[0];

/**
 * The data source of the service. At most half of its connections are in a transaction: changes are serialised and wait for
 * each other, and if they took every connection, calls, which only read, would wait as well.
 */
export class ServiceDataSource extends DataSource {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** @param waitMs how long a transaction waits to begin; it then fails as when the database is unavailable */
  constructor(
    options: DataSourceOptions,
    private readonly waitMs = 5000,
  ) {
    super(options);
    this.#free = Math.max(1, Math.floor(Number(options.poolSize) / 2));
  }

  /** How many transactions wait to begin. */
  get waitingTransactions(): number {
    return this.#waiting.length;
  }

  override async transaction<T>(run: Run<T>): Promise<T>;
  override async transaction<T>(isolation: Isolation, run: Run<T>): Promise<T>;
  override async transaction<T>(first: Run<T> | Isolation, second?: Run<T>): Promise<T> {
    await this.begin();
    try {
      return typeof first === 'function'
        ? await super.transaction(first)
        : await super.transaction(first as never, second as Run<T>);
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }

  private async begin(): Promise<void> {
    if (this.#free > 0) return void (this.#free -= 1);
    await new Promise<void>((resolve, reject) => {
      const begin = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(begin), 1);
        reject(new Error('timeout expired before a connection for a change was free'));
      }, this.waitMs);
      this.#waiting.push(begin);
    });
  }
}
