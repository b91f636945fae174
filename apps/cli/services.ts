import { resolve } from 'node:path';
import { type DataSource } from 'typeorm';
import { type Config } from '#config';
import { shippedModels } from '../api/shipped-models';
import { withDatabase } from './database';

/** Runs something with the services of the vault, on the database and by the settings of the service. */
export async function withVault<T>(config: Config, run: (vault: Vault) => Promise<T>): Promise<T> {
  const { AuditEvent } = await import('#audit');
  const { CredentialHealth, CredentialSlot, TenantCredential } = await import('#credentials');
  const { Tenant } = await import('#tenants');
  return withDatabase(
    config,
    [Tenant, TenantCredential, CredentialSlot, CredentialHealth, AuditEvent],
    async (dataSource) => run(await openVault(config, dataSource)),
  );
}

export type Vault = Awaited<ReturnType<typeof openVault>>;

async function openVault(config: Config, dataSource: DataSource) {
  const { AuditLogService } = await import('#audit');
  const { CredentialsService, KeyCanaryService } = await import('#credentials');
  const { FernetService } = await import('#crypto');
  const { AddressPolicy, parseAllowList } = await import('#egress');
  const { ModelCatalogue, ReadinessService } = await import('#model-routing');
  const { TenantsService } = await import('#tenants');
  const fernet = new FernetService(config.encryptionKeys);
  const audit = new AuditLogService(dataSource, fernet);
  const tenants = new TenantsService(dataSource, audit);
  const policy = new AddressPolicy({ allow: parseAllowList(config.egressAllow), ownPort: () => undefined });
  const credentials = new CredentialsService(dataSource, config, fernet, policy, audit);
  const canary = new KeyCanaryService(dataSource, fernet);
  return {
    tenants,
    credentials,
    canary,
    readiness: () => {
      const catalogue = ModelCatalogue.load(resolve(config.aiModelsFile ?? shippedModels()));
      return new ReadinessService(config, tenants, catalogue, credentials, canary, policy);
    },
  };
}
