import { resolve } from 'node:path';
import { type DataSource } from 'typeorm';
import { AuditEvent, AuditLogService } from '#audit';
import { CacheService, ChangesService } from '#cache';
import { type Config } from '#config';
import {
  credentialEntities,
  credentialRemoval,
  CredentialImportService,
  CredentialsService,
  EncryptionStatusService,
  RotationService,
  SealingKeyService,
} from '#credentials';
import { FernetService } from '#crypto';
import { AddressPolicy } from '#egress';
import { issuedKeyRemoval, KeyLimitsService, TenantKey, TenantKeysService } from '#issued-keys';
import { ModelCatalogue, shippedModelsFile, storedObjectRemoval } from '#model-routing';
import { Tenant, TenantsService } from '#tenants';
import { withDatabase } from './database';

export type Services = ReturnType<typeof servicesOn>;

/** Calls `run` with the services that commands use, on the database and with the settings of the service. */
export async function withServices<T>(config: Config, run: (services: Services) => Promise<T>): Promise<T> {
  const entities = [Tenant, ...credentialEntities, TenantKey, AuditEvent];
  return withDatabase(config, entities, (dataSource) => run(servicesOn(dataSource, config)));
}

function servicesOn(dataSource: DataSource, config: Config) {
  const fernet = new FernetService(config.encryptionKeys);
  const audit = new AuditLogService(dataSource, fernet);
  // Without a change feed it has no lease: nothing is cached, and its changes still wait until they are in force.
  const cache = new CacheService(config);
  const changes = new ChangesService(dataSource, cache);
  const limits = new KeyLimitsService(dataSource, cache, config);
  const tenants = new TenantsService(dataSource, audit, changes, cache);
  for (const removal of [credentialRemoval, issuedKeyRemoval, storedObjectRemoval])
    tenants.onRemoval(removal);
  const policy = new AddressPolicy({
    allow: config.egressAllow,
    privateAddresses: config.egressPrivate,
    ownPort: () => undefined,
  });
  const credentials = new CredentialsService(dataSource, config, fernet, policy, audit, changes, cache);
  const sealingKey = new SealingKeyService(dataSource, fernet, audit);
  return {
    changes,
    fernet,
    tenants,
    tenantKeys: new TenantKeysService(dataSource, tenants, audit, changes, cache, limits, config),
    credentials,
    imports: new CredentialImportService(dataSource, fernet, tenants, credentials, changes),
    sealingKey,
    encryption: new EncryptionStatusService(dataSource, fernet),
    rotation: new RotationService(dataSource, config, fernet, audit, sealingKey),
    audit,
  };
}

/** The model catalogue of the service. @throws CatalogueError */
export function catalogueOf({ aiModelsFile }: Config): ModelCatalogue {
  return ModelCatalogue.load(resolve(aiModelsFile ?? shippedModelsFile()));
}
