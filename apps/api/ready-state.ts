import { type Config } from '#config';
import { type ModelCatalogue, staleReason } from '#model-routing';
import { type ReadyResponse } from './health.dto';

/** What readiness says of the settings and of the catalogue, which needs no database. */
export function readyStateOf(
  config: Config,
  catalogue: ModelCatalogue,
): Pick<ReadyResponse, 'mode' | 'models' | 'catalogue' | 'catalogue_reason' | 'receipts' | 'audit_chain'> {
  const stale = staleReason(catalogue);
  return {
    mode: config.mode,
    models: catalogue.all().length,
    catalogue: stale === undefined ? 'ok' : 'stale',
    ...(stale !== undefined && { catalogue_reason: stale }),
    ...(config.encryptionKeys.current !== undefined
      ? { receipts: 'on', audit_chain: 'hmac' }
      : { receipts: 'off', audit_chain: 'hash' }),
  };
}

/** The state of a process that is starting or stopping. */
export function notReady(config: Config, catalogue: ModelCatalogue, reason: string): ReadyResponse {
  return { status: 'not_ready', database: 'not_checked', ...readyStateOf(config, catalogue), reason };
}
