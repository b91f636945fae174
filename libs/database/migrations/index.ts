import { CreateTenantsAndCredentials1764000000000 } from './1764000000000-create-tenants-and-credentials';
import { CreateAuditEvents1764100000000 } from './1764100000000-create-audit-events';
import { CreateIssuedKeys1764200000000 } from './1764200000000-create-issued-keys';
import { CreateCredentialHealth1764300000000 } from './1764300000000-create-credential-health';
import { CreateCredentialSlots1764400000000 } from './1764400000000-create-credential-slots';
import { AddTokenLimits1764500000000 } from './1764500000000-add-token-limits';
import { CreateUsageRecords1764600000000 } from './1764600000000-create-usage-records';
import { AddTenantContact1764700000000 } from './1764700000000-add-tenant-contact';
import { CountAuditEventsFromOne1764800000000 } from './1764800000000-count-audit-events-from-one';
import { ForgetDeletedTenantsOfKeys1764900000000 } from './1764900000000-forget-deleted-tenants-of-keys';
import { NumberBatchesOfLostCalls1765000000000 } from './1765000000000-number-batches-of-lost-calls';
import { CreateChangeFeed1765100000000 } from './1765100000000-create-change-feed';
import { CountCacheWrites1765200000000 } from './1765200000000-count-cache-writes';
import { CreateStoredObjects1765300000000 } from './1765300000000-create-stored-objects';
import { CountSearchUnits1765350000000 } from './1765350000000-count-search-units';
import { BindSealsToSlots1765500000000 } from './1765500000000-bind-seals-to-slots';
import { KeepFormerEncryptionKeys1765600000000 } from './1765600000000-keep-former-encryption-keys';
import { ExpectedProviders1765700000000 } from './1765700000000-expected-providers';
import { KeepClientRequestIds1766200000000 } from './1766200000000-keep-client-request-ids';
import { TenantPolicy1766400000010 } from './1766400000010-tenant-policy';
import { EraseAndExpireAudit1766400000020 } from './1766400000020-erase-and-expire-audit';
import { CreateVerificationRun1766500000000 } from './1766500000000-create-verification-run';
import { CreateLimitWindows1766600000000 } from './1766600000000-create-limit-windows';
import { CreateSysadminSessions1766700000000 } from './1766700000000-create-sysadmin-sessions';
import { CreateHourlySums1766800000000 } from './1766800000000-create-hourly-sums';
import { NoteRenewalTimes1766800000001 } from './1766800000001-note-renewal-times';

/** In the order in which they run. The list is explicit, because a glob would find other files in dist/ than in the sources. */
export const migrations = [
  CreateTenantsAndCredentials1764000000000,
  CreateAuditEvents1764100000000,
  CreateIssuedKeys1764200000000,
  CreateCredentialHealth1764300000000,
  CreateCredentialSlots1764400000000,
  AddTokenLimits1764500000000,
  CreateUsageRecords1764600000000,
  AddTenantContact1764700000000,
  CountAuditEventsFromOne1764800000000,
  ForgetDeletedTenantsOfKeys1764900000000,
  NumberBatchesOfLostCalls1765000000000,
  CreateChangeFeed1765100000000,
  CountCacheWrites1765200000000,
  CreateStoredObjects1765300000000,
  CountSearchUnits1765350000000,
  BindSealsToSlots1765500000000,
  KeepFormerEncryptionKeys1765600000000,
  ExpectedProviders1765700000000,
  KeepClientRequestIds1766200000000,
  TenantPolicy1766400000010,
  EraseAndExpireAudit1766400000020,
  CreateVerificationRun1766500000000,
  CreateLimitWindows1766600000000,
  CreateSysadminSessions1766700000000,
  CreateHourlySums1766800000000,
  NoteRenewalTimes1766800000001,
];
