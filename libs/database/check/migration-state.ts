import { createRequire } from 'node:module';
import { type EntityManager } from 'typeorm';
import { migrations } from '../migrations';
import { counted, fault, type Finding } from './finding';

const { version } = createRequire(__filename)('#package.json') as { version: string };

/** Which migrations a database has, compared with those of this version. Each list has the order in which migrations run. */
export interface MigrationState {
  /** Those that the database has. Empty: it was never migrated. */
  readonly done: readonly string[];
  /** Those that the next start would run. */
  readonly pending: readonly string[];
  /** Pending ones that are older than one that is done: their rows in the table of migrations were deleted. */
  readonly deleted: readonly string[];
  /** Those that this version does not know: the database was migrated by a later version. */
  readonly unknown: readonly string[];
  /** The version of Tenkey that ran the last of the unknown ones, if it noted that. */
  readonly laterVersion: string | undefined;
}

const own = migrations.map((migration): string => {
  const { name } = new migration() as { name?: string };
  return name ?? migration.name;
});

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
  return {
    done,
    pending,
    deleted: pending.filter((name) => timeOf(name) < newest),
    unknown: unknown.map(({ name }) => name),
    laterVersion: unknown.at(-1)?.version ?? undefined,
  };
}

/** What keeps this version from using the database, or from migrating it. */
export function migrationFindings(state: MigrationState): Finding[] {
  const { done, pending, deleted, unknown, laterVersion } = state;
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
    const rows = deleted.map((name) => `(${timeOf(name)}, '${name}')`).join(', ');
    return [
      fault(
        `rows are missing in the table of migrations, although later migrations are done: ${deleted.join(', ')}. A start would run them again, and fail`,
        `Restore the rows: insert into migrations (timestamp, name) values ${rows};`,
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

/** TypeORM takes the time of a migration from the last 13 characters of its name. */
function timeOf(name: string): number {
  return Number(name.slice(-13));
}
