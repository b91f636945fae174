import { type DataSource, type EntityManager } from 'typeorm';

/** How long a statement of a check may take: on a large database longer than any statement of the service. */
export const CHECK_STATEMENT_MS = 120_000;

/** Calls `run` in a transaction that sees one state of the database and in which the server refuses every change. */
export function readOnly<T>(
  dataSource: DataSource,
  run: (transaction: EntityManager) => Promise<T>,
): Promise<T> {
  return dataSource.transaction('REPEATABLE READ', async (transaction) => {
    await transaction.query('set transaction read only');
    await transaction.query(`set local statement_timeout = ${CHECK_STATEMENT_MS}`);
    return run(transaction);
  });
}
