import { DataSource, type EntityManager } from 'typeorm';

/** How long a statement of a check may take: on a large database longer than any statement of the service. */
export const CHECK_STATEMENT_MS = 120_000;

type Run<T> = (transaction: EntityManager) => Promise<T>;

/** A data source whose transactions each see one state of the database. In them the server refuses every change. */
export class ReadOnlyDataSource extends DataSource {
  override transaction<T>(run: Run<T>): Promise<T>;
  override transaction<T>(isolation: Parameters<DataSource['transaction']>[0], run: Run<T>): Promise<T>;
  override transaction<T>(first: unknown, second?: Run<T>): Promise<T> {
    const run = second ?? (first as Run<T>);
    return super.transaction('REPEATABLE READ', async (transaction) => {
      await transaction.query('set transaction read only');
      await transaction.query(`set local statement_timeout = ${CHECK_STATEMENT_MS}`);
      return run(transaction);
    });
  }
}
