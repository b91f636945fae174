import { type EntityManager } from 'typeorm';
import { migrations } from '../migrations';
import { counted, fault, type Finding } from './finding';

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
}

const own = migrations
  .map((migration): string => {
    const { name } = new migration() as { name?: string };
    return name ?? migration.name;
  })
  .sort((a, b) => timeOf(a) - timeOf(b));

export async function migrationState(manager: EntityManager): Promise<MigrationState> {
  const [table] = await manager.query<{ exists: boolean }[]>(
    `select to_regclass('migrations') is not null as exists`,
  );
  const rows = table?.exists
    ? await manager.query<{ name: string }[]>('select name from migrations order by timestamp, id')
    : [];
  const done = rows.map(({ name }) => name);
  const pending = own.filter((name) => !done.includes(name));
  const newest = Math.max(...done.map(timeOf));
  return {
    done,
    pending,
    deleted: pending.filter((name) => timeOf(name) < newest),
    unknown: done.filter((name) => !own.includes(name)),
  };
}

/** What keeps this version from using the database, or from migrating it. */
export function migrationFindings({ done, pending, deleted, unknown }: MigrationState): Finding[] {
  if (unknown.length > 0) {
    return [
      fault(
        `a later version has migrated this database: this version does not know ${unknown.join(', ')}`,
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
  const state =
    done.length === 0 ? 'the database is empty' : `the database has the schema of an earlier version`;
  return [
    fault(
      `${state}: ${counted(pending.length, 'migration is', 'migrations are')} missing, the first is ${pending[0]}`,
      'Run npx tenkey migrate, or start this version of the service once.',
    ),
  ];
}

/** TypeORM takes the time of a migration from the last 13 characters of its name. */
function timeOf(name: string): number {
  return Number(name.slice(-13));
}
