import { DataSource } from 'typeorm';
import { SysadminKey, TenantKey } from '#access';
import { AuditEvent } from '#audit';
import { CredentialHealth, TenantCredential } from '#credentials';
import { dataSourceOptions } from '#database';
import { Tenant } from '#tenants';

/** For the TypeORM command line, after `npm run build`: `npx typeorm -d dist/ormconfig.js migration:show`. */
export default new DataSource(
  dataSourceOptions({
    url: process.env.DATABASE_URL ?? '',
    entities: [Tenant, TenantCredential, CredentialHealth, TenantKey, SysadminKey, AuditEvent],
  }),
);
