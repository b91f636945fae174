import { createRequire } from 'node:module';
import { type EntityManager } from 'typeorm';
import { migrations } from '../migrations';
import { counted, fault, type Finding } from './finding';
import { ownTables } from './schema';

const { version } = createRequire(__filename)('#package.json') as { version: string };

/** Which migrations a database has, compared with those of this version. Each list has the order in which migrations run. */
export interface MigrationState {
  /** Those that the database has. Empty: it was never migrated. */
  readonly done: readonly string[];
  /** Those that the next start would run. */
  readonly pending: readonly string[];
  /**
   * Pending ones whose rows in the table of migrations were deleted: they are older than one that is done, or none is done and every
   * table exists.
   */
  readonly deleted: readonly string[];
  /** Some tables, but not all, that exist although no migration is done. Their names are those of Tenkey's tables. */
  readonly foreign: readonly string[];
  /** Those that this version does not know: the database was migrated by a later version. */
  readonly unknown: readonly string[];
  /** The version of Tenkey that ran the last of the unknown ones, if it noted that. */
  readonly laterVersion: string | undefined;
}

const own = migrations.map((migration): string => {
  const { name } = new migration() as { name?: string };
  return name ?? migration.name;
});

/** As TypeORM creates it, for its command line, with the version that ran each migration. */
export const CREATE_TABLE =
  'create table if not exists migrations (id serial not null constraint "PK_8c82d7f526340ab734260ea46be" primary key, timestamp bigint not null, name character varying not null); alter table migrations add column if not exists version text;';

/** @param known the migrations of this version */
export async function migrationState(
  manager: EntityManager,
  known: readonly string[] = own,
): Promise<MigrationState> {
  const [table] = await manager.query<{ exists: boolean }[]>(
    `select to_regclass('migrations') is not null as exists`,
  );
  const rows = table?.exists
    ? await manager.query<{ name: string; version: string | null }[]>(
        // Earlier versions have created the table without the column.
        "select name, to_jsonb(m) ->> 'version' as version from migrations m order by timestamp, id",
      )
    : [];
  const done = rows.map(({ name }) => name);
  const pending = known.filter((name) => !done.includes(name)).sort((a, b) => timeOf(a) - timeOf(b));
  const unknown = rows.filter(({ name }) => !known.includes(name));
  const newest = Math.max(...done.map(timeOf));
  const present = done.length > 0 ? [] : await presentTables(manager);
  const isWhole = present.length === ownTables.length;
  return {
    done,
    pending,
    deleted: isWhole ? pending : pending.filter((name) => timeOf(name) < newest),
    foreign: isWhole ? [] : present,
    unknown: unknown.map(({ name }) => name),
    laterVersion: unknown.at(-1)?.version ?? undefined,
  };
}

/** Whether this version can run what is pending. */
export function isMigratable({ unknown, deleted, foreign }: MigrationState): boolean {
  return unknown.length === 0 && deleted.length === 0 && foreign.length === 0;
}

/** What keeps this version from using the database, or from migrating it. */
export function migrationFindings(state: MigrationState): Finding[] {
  const { done, pending, deleted, foreign, unknown, laterVersion } = state;
  if (unknown.length > 0) {
    const later = `a later version has migrated this database${laterVersion === undefined ? '' : ` (Tenkey ${laterVersion})`}`;
    return [
      fault(
        `${later}: this version, Tenkey ${version}, does not know ${unknown.join(', ')}`,
        'Run the version that migrated it, or restore a backup from before that.',
      ),
    ];
  }
  if (deleted.length > 0) {
    const why = done.length === 0 ? 'every table exists' : 'later migrations are done';
    return [
      fault(
        `rows are missing in the table of migrations, although ${why}: ${deleted.join(', ')}. A start would run them again, and fail`,
        restoringRows(deleted, done.length === 0),
      ),
    ];
  }
  if (foreign.length > 0) {
    return [
      fault(
        `the database was never migrated, but already has the ${foreign.length === 1 ? 'table' : 'tables'} ${foreign.join(', ')}`,
        'If another application uses this database, give Tenkey a database of its own. If not, restore a backup, or the table of migrations.',
      ),
    ];
  }
  if (pending.length === 0) return [];
  const found =
    done.length === 0 ? 'the database is empty' : 'the database has the schema of an earlier version';
  return [
    fault(
      `${found}: ${counted(pending.length, 'migration is', 'migrations are')} missing, the first is ${pending[0]}`,
      'Run npx tenkey migrate, or start this version of the service once.',
    ),
  ];
}

/** How to restore rows of the table of migrations. */
export function restoringRows(names: readonly string[], mayLackTable = false): string {
  const rows = names.map((name) => `(${timeOf(name)}, '${name}')`).join(', ');
  return `Restore the rows: ${mayLackTable ? `${CREATE_TABLE} ` : ''}insert into migrations (timestamp, name) values ${rows};`;
}

async function presentTables(manager: EntityManager): Promise<string[]> {
  const rows = await manager.query<{ name: string }[]>(
    `select relname as name from pg_class
     where relnamespace = current_schema()::regnamespace and relkind = 'r' and relname = any($1) order by 1`,
    [ownTables],
  );
  return rows.map(({ name }) => name);
}

/** TypeORM takes the time of a migration from the last 13 characters of its name. */
function timeOf(name: string): number {
  return Number(name.slice(-13));
}
