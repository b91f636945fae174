import { AuditEvent } from '#audit';
import { type Config, ConfigError } from '#config';
import { credentialEntities } from '#credentials';
import { FernetService } from '#crypto';
import { findEmbeddedDatabase } from '#database';
import { Tenant } from '#tenants';
import { UsageRecord } from '#usage';
import { withDatabaseReadOnly } from '../database';
import { type Settings } from '../settings';
import { failed, notRun, type Result, resultsOf } from './check';
import { type Context, type DatabaseCheck, type Progress } from './context';
import { rowChecks } from './row-checks';
import { serverChecks } from './server-checks';
import { catalogueCheck, filesCheck, settingsCheck } from './settings-checks';

const entities = [Tenant, ...credentialEntities, AuditEvent, UsageRecord];

/** What is wrong with this installation: its settings, its database and what is stored there. Changes nothing. */
export async function examine(settings: Settings, progress: Progress = () => undefined): Promise<Result[]> {
  const config = await settings.load().catch((error: unknown) => {
    if (error instanceof ConfigError) return error;
    throw error;
  });
  const alone = [settingsCheck(config, settings), filesCheck(settings), catalogueCheck(settings)];
  const checks = [...serverChecks, ...rowChecks(settings)];
  return [...(await resultsOf(alone)), ...(await ofDatabase(config, checks, progress))];
}

async function ofDatabase(
  config: Config | ConfigError,
  checks: readonly DatabaseCheck[],
  progress: Progress,
): Promise<Result[]> {
  if (config instanceof ConfigError) return notRun(checks, 'these checks need valid settings');
  if (config.databaseUrl === undefined && (await findEmbeddedDatabase(config.dataDirectory)) === undefined) {
    return notRun(checks, 'there is no embedded database yet; a start of the service creates it');
  }
  try {
    return await withDatabaseReadOnly(config, entities, (dataSource) => {
      const context: Context = {
        config,
        dataSource,
        fernet: new FernetService(config.encryptionKeys),
        progress,
      };
      return resultsOf(
        checks.map((check) => ({ ...check, run: () => check.run(context) })),
        config.databaseSetting,
      );
    });
  } catch (error) {
    const [first, ...others] = checks;
    return [
      failed(first!.name, error as Error, config.databaseSetting),
      ...notRun(others, 'these checks need the database'),
    ];
  }
}
