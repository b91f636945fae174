import { DataSource } from 'typeorm';
import { type Config } from '#config';
import {
  connectAndMigrate,
  dataSourceOptions,
  isMigratable,
  migrationFindings,
  type MigrationState,
  migrationState,
  SchemaRefused,
} from '#database';
import { Refusal } from './command-line';
import { atAddress, connected } from './database';

/** The names of the migrations that are left to run, and of those that have just run. */
interface Migrated {
  readonly pending: readonly string[];
  readonly done: readonly string[];
}

/**
 * Migrates the database of the service.
 * @param log is called with each migration that is done, and while it waits
 * @throws Refusal for a database that this version cannot migrate; DatabaseStartError
 */
export async function migrate(
  config: Config,
  isDryRun: boolean,
  log: (message: string) => void,
): Promise<Migrated> {
  return atAddress(config, async (address) => {
    const directUrl = config.databaseDirectUrl?.expose();
    const options = dataSourceOptions({ url: directUrl ?? address, entities: [], poolSize: 2 });
    const stateOf = () =>
      connected(
        new DataSource(options),
        (dataSource) => migrationState(dataSource.manager),
        directUrl === undefined ? config.databaseSetting : 'DATABASE_DIRECT_URL',
      );
    if (isDryRun) {
      const state = await stateOf();
      requireMigratable(state);
      return { pending: state.pending, done: [] };
    }
    const dataSource = new DataSource(options);
    const waitSeconds = config.databaseWaitSeconds;
    try {
      const done = await connectAndMigrate(dataSource, {
        source: config.databaseSetting,
        directUrl,
        waitSeconds,
        log,
      });
      await dataSource.destroy();
      return { pending: [], done };
    } catch (error) {
      throw error instanceof SchemaRefused ? new Refusal(error.message) : error;
    }
  });
}

function requireMigratable(state: MigrationState): void {
  if (isMigratable(state)) return;
  const [finding] = migrationFindings(state);
  throw new Refusal(`${finding?.text}. ${finding?.fix}`);
}
