import { SysadminKey, TenantKey } from '#issued-keys';
import { AuditEvent } from '#audit';
import { CredentialHealth, CredentialSlot, TenantCredential } from '#credentials';
import { StoredObject } from '#model-routing';
import { Tenant } from '#tenants';
import { UsageRecord } from '#usage';

/** Every entity, for the application and for the TypeORM command line. */
export const entities = [
  Tenant,
  TenantCredential,
  CredentialSlot,
  CredentialHealth,
  TenantKey,
  SysadminKey,
  AuditEvent,
  UsageRecord,
  StoredObject,
];
