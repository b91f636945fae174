import { type QueryRunner } from 'typeorm';
import { outageOf } from '../outage';
import { sqlStateOf } from '../database-errors';
import { restoringRows } from './migration-state';
import { schemaFindings } from './schema';

/** What the database says of itself to a migration that it has refused. */
interface Place {
  readonly database: string;
  readonly user: string;
  readonly schema: string | null;
  readonly searchPath: string;
}

/**
 * Why the database refuses a migration, and how to correct that; undefined when the migration itself has the fault.
 * @param pending the migrations that the database does not have, the refused one first
 */
export async function migrationFaultOf(
  error: unknown,
  pending: readonly string[],
  runner: QueryRunner,
): Promise<string | undefined> {
  const fix = fixes[sqlStateOf(error) ?? ''];
  if (fix === undefined) return undefined;
  const [place] = (await runner.query(
    `select quote_ident(current_database()) as database, quote_ident(current_user) as user,
       quote_ident(current_schema()) as schema, current_setting('search_path') as "searchPath"`,
  )) as [Place];
  const { message } = error as Error;
  return `Cannot migrate database ${place.database}: PostgreSQL refused migration ${pending[0]}: ${message}. ${await fix({ place, error, pending, runner })}`;
}

interface Refused {
  readonly place: Place;
  readonly error: unknown;
  readonly pending: readonly string[];
  readonly runner: QueryRunner;
}

const fixes: Readonly<Record<string, (refused: Refused) => string | Promise<string>>> = {
  // A table, column, object or function that exists.
  '42P07': exists,
  '42701': exists,
  '42710': exists,
  '42723': exists,
  // The user lacks a right.
  '42501': ({ place: { database, user, schema } }) =>
    `User ${user} lacks a right. It must own the tables of Tenkey that exist, and either own the database or have CREATE on its schema. As a superuser, run one of: alter database ${database} owner to ${user}; or: grant create on schema ${schema ?? 'public'} to ${user};`,
  // No schema.
  '3F000': ({ place: { searchPath } }) =>
    `No schema of search_path (${searchPath}) exists. Create one, or correct search_path, which the options of the address, the user or the database sets.`,
  // Read-only.
  '25006': ({ error }) => outageOf(error)?.fix ?? '',
};

async function exists({ pending, runner }: Refused): Promise<string> {
  const findings = await schemaFindings(runner.manager);
  const isWhole = findings.every(({ severity }) => severity !== 'fault');
  return isWhole
    ? `The schema is that of this version, so rows of the table of migrations were deleted. ${restoringRows(pending)}`
    : 'If another application uses this database, give Tenkey a database of its own. If not, restore a backup, or the rows that were deleted from the table of migrations.';
}
