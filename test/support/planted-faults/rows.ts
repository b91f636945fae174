import { randomUUID } from 'node:crypto';
import { encryptionKey } from '../app';
import { changed, copyOf, keyId, otherKey, otherKeyId, type Plant, RENEWING_MS, restored } from './plant';

const former = (sealed: string, retired: boolean) =>
  `insert into former_encryption_keys values ('${otherKeyId}', '${sealed}', '${keyId}', now(), ${retired ? 'now()' : 'null'})`;
/** @param leaseMs of a process that was killed, or RENEWING_MS */
const registered = (columns: string, values: string, leaseMs = 100) =>
  `insert into registered_processes (id, lease_ms, renewals, confirmed, ${columns}) values ('${randomUUID()}', ${leaseMs}, 0, 0, ${values})`;
const unregistered = [`delete from registered_processes where lease_ms in (100, ${RENEWING_MS})`];

/** Faults of encryption keys and of what is stored. */
export const faultsOfRows: readonly Plant[] = [
  {
    title: 'a wrong encryption key',
    env: { ENCRYPTION_KEY: otherKey },
    check: 'encryption keys',
    status: 'fault',
    text: `the encryption key that seals (fingerprint ${keyId}) is not loaded`,
  },
  {
    title: 'rows under a key that is not loaded',
    ...changed(
      'tenant_credentials',
      `update tenant_credentials set key_id = '${otherKeyId}' where provider = 'vllm'`,
    ),
    check: 'encryption keys',
    status: 'fault',
    text: `fingerprint ${otherKeyId} is not loaded, and rows are sealed under it: 1 live`,
  },
  {
    title: 'a changed canary',
    ...changed('encryption_canary', `update encryption_canary set sealed = 'enc:fernet:v1:gAAA'`),
    check: 'encryption keys',
    status: 'fault',
    text: 'the canary cannot be opened',
  },
  {
    title: 'an ENCRYPTION_KEY that does not seal',
    env: { ENCRYPTION_KEY: otherKey, ENCRYPTION_KEY_PREVIOUS: encryptionKey },
    check: 'encryption keys',
    status: 'warning',
    text: `ENCRYPTION_KEY (fingerprint ${otherKeyId}) does not seal yet`,
  },
  {
    title: 'a retired key that is loaded',
    sql: [former('', true)],
    undo: ['delete from former_encryption_keys'],
    env: { ENCRYPTION_KEY_PREVIOUS: otherKey },
    check: 'encryption keys',
    status: 'warning',
    text: `the retired encryption key ${otherKeyId} is still loaded`,
  },
  {
    title: 'signing keys that cannot be opened',
    sql: [former('enc:fernet:v1:gAAA', false)],
    undo: ['delete from former_encryption_keys'],
    check: 'encryption keys',
    status: 'fault',
    text: `the signing keys of the former encryption key ${otherKeyId} cannot be opened`,
  },
  {
    title: 'a rotation that is paused',
    sql: [
      `insert into encryption_rotation values (1, 'paused', '${keyId}', 9, 4, 0, '[]', '{"table":0}', '{}', now(), now())`,
    ],
    undo: ['delete from encryption_rotation'],
    check: 'encryption keys',
    status: 'warning',
    text: 'a rotation is paused: 4 of 9 rows are sealed again',
  },
  {
    title: 'a live key in clear text',
    ...changed(
      'tenant_credentials',
      `update tenant_credentials set sealed_api_key = 'sk-x' where provider = 'openai'`,
    ),
    check: 'seals',
    status: 'fault',
    text: /tenant sundsvall \(.{36}\), openai, live: stored in clear text/,
  },
  {
    title: 'a staged key under an unknown encryption key',
    ...changed(
      'credential_slots',
      `update credential_slots set key_id = '${otherKeyId}' where slot = 'staged'`,
    ),
    check: 'seals',
    status: 'fault',
    text: /tenant sundsvall \(.{36}\), openai, staged: sealed under an encryption key that is not loaded/,
  },
  {
    title: 'an endpoint that was changed in SQL',
    ...changed(
      'tenant_credentials',
      `update tenant_credentials set settings = '{"endpoint":"https://elsewhere.example"}' where provider = 'vllm'`,
    ),
    check: 'seals',
    status: 'fault',
    text: /tenant harnosand \(.{36}\), vllm, live: does not fit its seal/,
  },
  {
    title: 'a tenant that was created again under the same id',
    ...changed('tenants', `update tenants set incarnation = gen_random_uuid() where name = 'sundsvall'`),
    // The rows of other tables that refer to tenants must survive.
    undo: [
      'update tenants t set incarnation = s.incarnation from saved s where s.id = t.id',
      'drop table saved',
    ],
    check: 'seals',
    status: 'fault',
    text: /openai, previous: does not fit its seal/,
  },
  {
    title: 'a row of no tenant',
    sql: [
      'set session_replication_role = replica',
      `insert into credential_slots select gen_random_uuid(), provider, slot, sealed_api_key, key_hint, settings, key_id, 999, seal, configured_at from credential_slots where slot = 'staged'`,
      'set session_replication_role = origin',
    ],
    undo: [`delete from credential_slots where tenant_id not in (select id from tenants)`],
    check: 'seals',
    status: 'fault',
    text: /tenant id .{36}, openai, staged: belongs to no tenant/,
  },
  {
    title: 'a staged credential that was copied to live',
    ...changed(
      'tenant_credentials',
      `update tenant_credentials c set (sealed_api_key, key_hint, settings, key_id, version, seal, configured_at) =
         (select sealed_api_key, key_hint, settings, key_id, version, seal, configured_at from credential_slots where slot = 'staged')
       where provider = 'openai'`,
    ),
    check: 'slots',
    status: 'fault',
    text: /is stored twice, so one row is a copy: tenant .{36}, openai, live; tenant .{36}, openai, staged/,
  },
  {
    title: 'a previous credential past its time',
    ...changed(
      'credential_slots',
      `update credential_slots set replaced_at = now() - interval '30 days' where slot = 'previous'`,
    ),
    check: 'slots',
    status: 'warning',
    text: /openai, previous: kept longer than CREDENTIAL_ROLLBACK_HOURS/,
  },
  {
    title: 'versions that were set back',
    sql: [
      `create table saved as select last_value from credential_versions`,
      `select setval('credential_versions', 1)`,
    ],
    undo: [`select setval('credential_versions', (select last_value from saved))`, 'drop table saved'],
    check: 'slots',
    status: 'fault',
    text: 'the next credential would get version 2',
    fix: `setval('credential_versions'`,
  },
  {
    title: 'an endpoint that the policy refuses now',
    env: { EGRESS_ALLOW: undefined },
    check: 'endpoints',
    status: 'warning',
    text: /vllm, live: its endpoint is a loopback address/,
  },
  {
    title: 'a credential of a provider that nothing declares',
    ...changed(
      'tenant_credentials',
      `update tenant_credentials set provider = 'gone' where provider = 'mistral'`,
    ),
    check: 'providers',
    status: 'warning',
    text: '1 credential is for gone',
  },
  {
    title: 'a verification that is paused',
    sql: [
      `insert into verification_run values (1, 'paused', '{}', 9, 4, 1, '[]', null, now(), '{}', now(), now())`,
    ],
    undo: ['delete from verification_run'],
    check: 'providers',
    status: 'warning',
    text: 'a verification is paused: 4 of 9 credentials are verified',
  },
  {
    title: 'an audit event that was edited',
    sql: [
      'alter table audit_events disable trigger all',
      copyOf('audit_events'),
      `update audit_events set actor = 'nobody' where seq = 3`,
    ],
    undo: [...restored('audit_events'), 'alter table audit_events enable trigger all'],
    check: 'audit',
    status: 'fault',
    text: 'event 3: was changed or moved',
  },
  {
    title: 'a retention of audit events that an edited one stops',
    sql: [
      'alter table audit_events disable trigger all',
      copyOf('audit_events'),
      `update audit_events set actor = 'nobody' where seq = 3`,
    ],
    undo: [...restored('audit_events'), 'alter table audit_events enable trigger all'],
    env: { AUDIT_RETENTION_DAYS: '365' },
    check: 'audit',
    status: 'warning',
    text: 'AUDIT_RETENTION_DAYS deletes nothing from event 3 on',
  },
  {
    title: 'newest audit events that were removed',
    sql: [
      'alter table audit_events disable trigger all',
      copyOf('audit_events'),
      `delete from audit_events where seq >= (select seq - 1 from audit_head)`,
    ],
    undo: [...restored('audit_events'), 'alter table audit_events enable trigger all'],
    check: 'audit',
    status: 'fault',
    text: 'events after the last one are missing',
  },
  {
    title: 'the state of a tenant that was changed in SQL',
    sql: [`update tenants set state = 'suspended' where name = 'harnosand'`],
    undo: [`update tenants set state = 'active' where name = 'harnosand'`],
    check: 'tenants',
    status: 'fault',
    text: /tenant harnosand \(.{36}\) is suspended, but audit event \d+ made it active/,
  },
  {
    title: 'a tenant that was created in SQL',
    sql: [`insert into tenants (id, name) values (gen_random_uuid(), E'by\\u001b[2Jhand')`],
    undo: [`delete from tenants where name like 'by%hand'`],
    check: 'tenants',
    status: 'warning',
    text: /was not created by Tenkey/,
  },
  {
    title: 'a tenant that was deleted in SQL',
    sql: [
      'set session_replication_role = replica',
      copyOf('tenants'),
      `delete from tenants where name = 'harnosand'`,
    ],
    undo: [
      `insert into tenants select * from saved where name = 'harnosand'`,
      'drop table saved',
      'set session_replication_role = origin',
    ],
    check: 'tenants',
    status: 'fault',
    text: /tenant .{36} is missing: its last audit event is \d+, which did not delete it/,
  },
  {
    title: 'a sum of usage that was changed',
    ...changed('usage_daily', 'update usage_daily set output_tokens = output_tokens + 1'),
    env: { USAGE_RETENTION_DAYS: '0' },
    check: 'usage',
    status: 'fault',
    text: /1 sum of 1 tenant in usage_daily differs from its records \(3 calls counted, 3 recorded\)/,
  },
  {
    title: 'a sum of an hour that was changed',
    sql: [
      copyOf('usage_hourly'),
      // The hours of the first day are not compared.
      'create temp table an_hour as table usage_hourly',
      `update an_hour set hour = hour - interval '2 days'`,
      'insert into usage_hourly table an_hour',
      'drop table an_hour',
      'update usage_hourly set failed = failed + 1 where hour = (select max(hour) from usage_hourly)',
    ],
    undo: restored('usage_hourly'),
    check: 'usage',
    status: 'warning',
    text: /sums of 1 tenant in usage_hourly differ from those of the day \(3 calls by hour, 3 by day\)/,
  },
  {
    title: 'a usage record that was deleted',
    sql: [
      copyOf('usage_records'),
      `set tenkey.usage_retention = 'on'`,
      'delete from usage_records where request_id = (select max(request_id::text)::uuid from usage_records)',
    ],
    undo: [
      `delete from usage_records`,
      'insert into usage_records table saved',
      'drop table saved',
      'reset tenkey.usage_retention',
    ],
    env: { USAGE_RETENTION_DAYS: '0' },
    check: 'usage',
    status: 'fault',
    text: /3 calls counted, 2 recorded/,
  },
  {
    title: 'all records of a day that were deleted',
    sql: [
      `create temp table a_day as table usage_daily`,
      `update a_day set day = day - 2`,
      'insert into usage_daily table a_day',
      'drop table a_day',
    ],
    undo: ['delete from usage_daily where day < (select max(day) from usage_daily)'],
    check: 'usage',
    status: 'warning',
    text: /usage_daily counts 3 calls, of which no record is left/,
  },
  {
    title: 'a process that was killed',
    sql: [registered('encryption_keys, seal_form', `'{${keyId}}', 2`)],
    undo: unregistered,
    check: 'processes',
    status: 'warning',
    text: 'does not renew its registration',
  },
  {
    title: 'a process of an earlier version',
    sql: [registered('encryption_keys', `'{${keyId}}'`, RENEWING_MS)],
    undo: unregistered,
    check: 'processes',
    status: 'warning',
    text: '1 of 1 registered processes runs an earlier version',
  },
  {
    title: 'a process without the encryption key',
    sql: [registered('encryption_keys, seal_form', `'{}', 2`, RENEWING_MS)],
    undo: unregistered,
    check: 'processes',
    status: 'fault',
    text: '1 of 1 registered processes lacks the encryption key that seals',
  },
  {
    title: 'the missing number of the last change',
    ...changed('change_head', 'delete from change_head'),
    check: 'processes',
    status: 'fault',
    text: 'the row of change_head is missing',
    fix: 'insert into change_head',
  },
];
