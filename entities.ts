import { SysadminKey, TenantKey } from '#issued-keys';
import { AuditEvent } from '#audit';
import { StoredObject } from '#model-routing';
import {
  CredentialHealth,
  CredentialSlot,
  FormerKey,
  Rotation,
  SealingState,
  TenantCredential,
} from '#credentials';
import { Tenant } from '#tenants';
import { UsageRecord } from '#usage';

/** Every entity, for the application and for the TypeORM command line. */
export const entities = [
  Tenant,
  TenantCredential,
  CredentialSlot,
  CredentialHealth,
  SealingState,
  FormerKey,
  Rotation,
  TenantKey,
  SysadminKey,
  AuditEvent,
  UsageRecord,
  StoredObject,
];
