import { SysadminKey, SysadminSession, TenantKey } from '#issued-keys';
import { AuditEvent } from '#audit';
import { StoredObject } from '#model-routing';
import { credentialEntities } from '#credentials';
import { Tenant } from '#tenants';
import { UsageRecord } from '#usage';

/** Every entity, for the application and for the TypeORM command line. */
export const entities = [
  Tenant,
  ...credentialEntities,
  TenantKey,
  SysadminKey,
  SysadminSession,
  AuditEvent,
  UsageRecord,
  StoredObject,
];
