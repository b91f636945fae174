/** What the migrations create, by kind and name. Printed by `npm run schema`: do not edit. */
export const schema: Readonly<Record<string, string>> = {
  'column audit_events.action': 'text not null',
  'column audit_events.actor': 'text not null',
  'column audit_events.address': 'text not null',
  'column audit_events.at': 'timestamp with time zone not null',
  'column audit_events.details': "jsonb not null default '{}'::jsonb",
  'column audit_events.hash': 'text not null',
  'column audit_events.key_id': 'text',
  'column audit_events.outcome': 'text not null',
  'column audit_events.provider': 'text',
  'column audit_events.request_id': 'text not null',
  'column audit_events.seq': 'bigint not null',
  'column audit_events.tenant_id': 'uuid',
  'column audit_head.hash': 'text not null',
  'column audit_head.id': 'integer not null',
  'column audit_head.seq': 'bigint not null',
  'column audit_values.path': 'text not null',
  'column audit_values.salt': 'text not null',
  'column audit_values.seq': 'bigint not null',
  'column audit_values.tenant_id': 'uuid',
  'column audit_values.value': 'text not null',
  'column change_head.id': 'integer not null',
  'column change_head.number': 'bigint not null',
  'column credential_health.latency_ms': 'integer',
  'column credential_health.outcome': 'text',
  'column credential_health.provider': 'text not null',
  'column credential_health.rejected_at': 'timestamp with time zone',
  'column credential_health.rejections': 'integer not null default 0',
  'column credential_health.tenant_id': 'uuid not null',
  'column credential_health.verified_at': 'timestamp with time zone',
  'column credential_health.version': 'bigint not null',
  'column credential_slots.configured_at': 'timestamp with time zone not null',
  'column credential_slots.expires_at': 'timestamp with time zone',
  'column credential_slots.key_hint': 'text not null',
  'column credential_slots.key_id': 'text not null',
  'column credential_slots.provider': 'text not null',
  'column credential_slots.replaced_at': 'timestamp with time zone',
  'column credential_slots.seal': 'text not null',
  'column credential_slots.sealed_api_key': 'text not null',
  'column credential_slots.settings': "jsonb not null default '{}'::jsonb",
  'column credential_slots.slot': 'text not null',
  'column credential_slots.tenant_id': 'uuid not null',
  'column credential_slots.version': 'bigint not null',
  'column encryption_canary.created_at': 'timestamp with time zone not null default now()',
  'column encryption_canary.id': 'integer not null',
  'column encryption_canary.key_id': 'text not null',
  'column encryption_canary.least_seal_form': 'smallint not null default 1',
  'column encryption_canary.seal_form': 'smallint not null default 1',
  'column encryption_canary.sealed': 'text not null',
  'column encryption_rotation.changed_at': 'timestamp with time zone not null',
  'column encryption_rotation.failed': 'integer not null',
  'column encryption_rotation.faults': 'jsonb not null',
  'column encryption_rotation.id': 'integer not null',
  'column encryption_rotation.key_id': 'text not null',
  'column encryption_rotation.position': 'jsonb not null',
  'column encryption_rotation.resealed': 'integer not null',
  'column encryption_rotation.started_at': 'timestamp with time zone not null',
  'column encryption_rotation.started_by': 'jsonb not null',
  'column encryption_rotation.state': 'text not null',
  'column encryption_rotation.total': 'integer not null',
  'column former_encryption_keys.id': 'text not null',
  'column former_encryption_keys.key_id': 'text not null',
  'column former_encryption_keys.replaced_at': 'timestamp with time zone not null',
  'column former_encryption_keys.retired_at': 'timestamp with time zone',
  'column former_encryption_keys.sealed_signing_keys': 'text not null',
  'column limit_windows.amounts': 'bigint[] not null',
  'column limit_windows.second': 'bigint not null',
  'column limit_windows.tenant_id': 'uuid not null',
  'column limit_windows.tenant_key_id': 'text not null',
  'column limit_windows.unit': 'text not null',
  'column registered_processes.confirmed': 'bigint not null',
  'column registered_processes.encryption_keys': 'text[] not null',
  'column registered_processes.id': 'uuid not null',
  'column registered_processes.lease_ms': 'integer not null',
  'column registered_processes.registered_at': 'timestamp with time zone not null default now()',
  'column registered_processes.renewals': 'bigint not null',
  'column registered_processes.renewed_at': 'timestamp with time zone',
  'column registered_processes.seal_form': 'smallint not null default 1',
  'column stored_objects.created_at': 'timestamp with time zone not null default now()',
  'column stored_objects.forget_at': 'timestamp with time zone',
  'column stored_objects.host': 'text not null',
  'column stored_objects.id_hash': 'bytea not null',
  'column stored_objects.is_usage_due': 'boolean not null default false',
  'column stored_objects.kind': 'text not null',
  'column stored_objects.model': 'text not null',
  'column stored_objects.provider': 'text not null',
  'column stored_objects.tenant_id': 'uuid not null',
  'column sysadmin_keys.created_at': 'timestamp with time zone not null',
  'column sysadmin_keys.expires_at': 'timestamp with time zone',
  'column sysadmin_keys.id': 'text not null',
  'column sysadmin_keys.key_hash': 'text not null',
  'column sysadmin_keys.key_hint': 'text not null',
  'column sysadmin_keys.last_used_at': 'timestamp with time zone',
  'column sysadmin_keys.name': 'text not null',
  'column sysadmin_keys.scopes': 'text[] not null',
  'column sysadmin_keys.tenant_ids': 'uuid[]',
  'column sysadmin_sessions.created_at': 'timestamp with time zone not null',
  'column sysadmin_sessions.expires_at': 'timestamp with time zone not null',
  'column sysadmin_sessions.id': 'text not null',
  'column sysadmin_sessions.key_proof': 'text',
  'column sysadmin_sessions.last_used_at': 'timestamp with time zone not null',
  'column sysadmin_sessions.scopes': 'text[]',
  'column sysadmin_sessions.sysadmin_key_id': 'text',
  'column sysadmin_sessions.token_hash': 'text not null',
  'column tenant_credentials.configured_at': 'timestamp with time zone not null',
  'column tenant_credentials.expires_at': 'timestamp with time zone',
  'column tenant_credentials.key_hint': 'text not null',
  'column tenant_credentials.key_id': 'text not null',
  'column tenant_credentials.provider': 'text not null',
  'column tenant_credentials.seal': 'text not null',
  'column tenant_credentials.sealed_api_key': 'text not null',
  'column tenant_credentials.settings': "jsonb not null default '{}'::jsonb",
  'column tenant_credentials.tenant_id': 'uuid not null',
  'column tenant_credentials.version': 'bigint not null',
  'column tenant_keys.allowed_models': 'text[]',
  'column tenant_keys.created_at': 'timestamp with time zone not null',
  'column tenant_keys.expires_at': 'timestamp with time zone',
  'column tenant_keys.id': 'text not null',
  'column tenant_keys.key_hash': 'text not null',
  'column tenant_keys.key_hint': 'text not null',
  'column tenant_keys.last_used_at': 'timestamp with time zone',
  'column tenant_keys.name': 'text not null',
  'column tenant_keys.requests_per_minute': 'integer',
  'column tenant_keys.tenant_id': 'uuid not null',
  'column tenant_keys.tokens_per_minute': 'integer',
  'column tenants.allowed_hosting': 'text[]',
  'column tenants.allowed_providers': 'text[]',
  'column tenants.contact_email': 'text',
  'column tenants.created_at': 'timestamp with time zone not null default now()',
  'column tenants.display_name': 'text',
  'column tenants.egress_allow': 'text[]',
  'column tenants.expected_providers': 'text[]',
  'column tenants.id': 'uuid not null',
  'column tenants.incarnation': 'uuid not null default gen_random_uuid()',
  'column tenants.name': 'text not null',
  'column tenants.state': "text not null default 'active'::text",
  'column tenants.updated_at': 'timestamp with time zone not null default now()',
  'column usage_daily.cache_write_tokens': 'bigint not null default 0',
  'column usage_daily.cached_tokens': 'bigint not null',
  'column usage_daily.calls': 'bigint not null',
  'column usage_daily.day': 'date not null',
  'column usage_daily.failed': 'bigint not null',
  'column usage_daily.input_tokens': 'bigint not null',
  'column usage_daily.key_id': 'text',
  'column usage_daily.mask': 'text not null',
  'column usage_daily.model': 'text not null',
  'column usage_daily.operation': 'text not null',
  'column usage_daily.output_tokens': 'bigint not null',
  'column usage_daily.provider': 'text not null',
  'column usage_daily.request_bytes': 'bigint not null',
  'column usage_daily.response_bytes': 'bigint not null',
  'column usage_daily.search_units': 'bigint not null default 0',
  'column usage_daily.source': 'text not null',
  'column usage_daily.tenant_id': 'uuid not null',
  'column usage_daily.unfinished': 'bigint not null',
  'column usage_daily.unmetered': 'bigint not null',
  'column usage_daily.version': 'bigint',
  'column usage_hourly.above_300000_ms': 'integer not null',
  'column usage_hourly.calls': 'integer not null',
  'column usage_hourly.failed': 'integer not null',
  'column usage_hourly.hour': 'timestamp with time zone not null',
  'column usage_hourly.input_tokens': 'bigint not null',
  'column usage_hourly.model': 'text not null',
  'column usage_hourly.output_tokens': 'bigint not null',
  'column usage_hourly.provider': 'text not null',
  'column usage_hourly.tenant_id': 'uuid not null',
  'column usage_hourly.to_10000_ms': 'integer not null',
  'column usage_hourly.to_1000_ms': 'integer not null',
  'column usage_hourly.to_100_ms': 'integer not null',
  'column usage_hourly.to_120000_ms': 'integer not null',
  'column usage_hourly.to_2500_ms': 'integer not null',
  'column usage_hourly.to_250_ms': 'integer not null',
  'column usage_hourly.to_300000_ms': 'integer not null',
  'column usage_hourly.to_30000_ms': 'integer not null',
  'column usage_hourly.to_5000_ms': 'integer not null',
  'column usage_hourly.to_500_ms': 'integer not null',
  'column usage_hourly.to_50_ms': 'integer not null',
  'column usage_hourly.to_60000_ms': 'integer not null',
  'column usage_hourly.total_ms': 'bigint not null',
  'column usage_hourly.unfinished': 'integer not null',
  'column usage_lost.calls': 'bigint not null',
  'column usage_lost.day': 'date not null',
  'column usage_lost.tenant_id': 'uuid not null',
  'column usage_lost_batches.number': 'integer not null',
  'column usage_lost_batches.process': 'uuid not null',
  'column usage_records.adapter': 'text not null',
  'column usage_records.at': 'timestamp with time zone not null',
  'column usage_records.attempts': 'integer not null',
  'column usage_records.cache_write_tokens': 'bigint',
  'column usage_records.cached_tokens': 'bigint',
  'column usage_records.client_request_id': 'text',
  'column usage_records.code': 'text',
  'column usage_records.first_byte_ms': 'integer',
  'column usage_records.host': 'text not null',
  'column usage_records.input_tokens': 'bigint',
  'column usage_records.is_estimated': 'boolean not null default false',
  'column usage_records.key_id': 'text',
  'column usage_records.mask': 'text not null',
  'column usage_records.model': 'text not null',
  'column usage_records.operation': 'text not null',
  'column usage_records.outcome': 'text not null',
  'column usage_records.output_tokens': 'bigint',
  'column usage_records.provider': 'text not null',
  'column usage_records.request_bytes': 'bigint not null',
  'column usage_records.request_id': 'uuid not null',
  'column usage_records.response_bytes': 'bigint not null',
  'column usage_records.search_units': 'bigint',
  'column usage_records.source': 'text not null',
  'column usage_records.status': 'integer not null',
  'column usage_records.target': 'text not null',
  'column usage_records.tenant_id': 'uuid not null',
  'column usage_records.total_ms': 'integer not null',
  'column usage_records.upstream_status': 'integer',
  'column usage_records.version': 'bigint',
  'column verification_run.changed_at': 'timestamp with time zone not null',
  'column verification_run.faults': 'jsonb not null',
  'column verification_run.filter': 'jsonb not null',
  'column verification_run.id': 'integer not null',
  'column verification_run.next_at': 'timestamp with time zone not null',
  'column verification_run.not_accepted': 'integer not null',
  'column verification_run.position': 'jsonb',
  'column verification_run.started_at': 'timestamp with time zone not null',
  'column verification_run.started_by': 'jsonb not null',
  'column verification_run.state': 'text not null',
  'column verification_run.total': 'integer not null',
  'column verification_run.verified': 'integer not null',
  'constraint audit_events_count_from_one on audit_events':
    'alter table audit_events add constraint audit_events_count_from_one CHECK ((seq > 0)) NOT VALID',
  'constraint audit_events_outcome_check on audit_events':
    "alter table audit_events add constraint audit_events_outcome_check CHECK ((outcome = ANY (ARRAY['done'::text, 'refused'::text])))",
  'constraint audit_events_pkey on audit_events':
    'alter table audit_events add constraint audit_events_pkey PRIMARY KEY (seq)',
  'constraint audit_head_id_check on audit_head':
    'alter table audit_head add constraint audit_head_id_check CHECK ((id = 1))',
  'constraint audit_head_pkey on audit_head':
    'alter table audit_head add constraint audit_head_pkey PRIMARY KEY (id)',
  'constraint audit_values_pkey on audit_values':
    'alter table audit_values add constraint audit_values_pkey PRIMARY KEY (seq, path)',
  'constraint change_head_id_check on change_head':
    'alter table change_head add constraint change_head_id_check CHECK ((id = 1))',
  'constraint change_head_pkey on change_head':
    'alter table change_head add constraint change_head_pkey PRIMARY KEY (id)',
  'constraint credential_health_outcome_check on credential_health':
    "alter table credential_health add constraint credential_health_outcome_check CHECK ((outcome = ANY (ARRAY['accepted'::text, 'rejected'::text, 'forbidden'::text, 'quota'::text, 'wrong_host'::text, 'network_rules'::text, 'unreachable'::text, 'unknown'::text])))",
  'constraint credential_health_pkey on credential_health':
    'alter table credential_health add constraint credential_health_pkey PRIMARY KEY (tenant_id, provider, version)',
  'constraint credential_health_tenant_id_fkey on credential_health':
    'alter table credential_health add constraint credential_health_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id) ON DELETE CASCADE',
  'constraint credential_slots_check on credential_slots':
    "alter table credential_slots add constraint credential_slots_check CHECK (((slot = 'previous'::text) = (replaced_at IS NOT NULL)))",
  'constraint credential_slots_pkey on credential_slots':
    'alter table credential_slots add constraint credential_slots_pkey PRIMARY KEY (tenant_id, provider, slot)',
  'constraint credential_slots_slot_check on credential_slots':
    "alter table credential_slots add constraint credential_slots_slot_check CHECK ((slot = ANY (ARRAY['staged'::text, 'previous'::text])))",
  'constraint credential_slots_tenant_id_fkey on credential_slots':
    'alter table credential_slots add constraint credential_slots_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id) ON DELETE CASCADE',
  'constraint encryption_canary_check on encryption_canary':
    'alter table encryption_canary add constraint encryption_canary_check CHECK (((least_seal_form >= 1) AND (least_seal_form <= seal_form)))',
  'constraint encryption_canary_id_check on encryption_canary':
    'alter table encryption_canary add constraint encryption_canary_id_check CHECK ((id = 1))',
  'constraint encryption_canary_pkey on encryption_canary':
    'alter table encryption_canary add constraint encryption_canary_pkey PRIMARY KEY (id)',
  'constraint encryption_canary_seal_form_check on encryption_canary':
    'alter table encryption_canary add constraint encryption_canary_seal_form_check CHECK ((seal_form > 0))',
  'constraint encryption_rotation_id_check on encryption_rotation':
    'alter table encryption_rotation add constraint encryption_rotation_id_check CHECK ((id = 1))',
  'constraint encryption_rotation_pkey on encryption_rotation':
    'alter table encryption_rotation add constraint encryption_rotation_pkey PRIMARY KEY (id)',
  'constraint encryption_rotation_state_check on encryption_rotation':
    "alter table encryption_rotation add constraint encryption_rotation_state_check CHECK ((state = ANY (ARRAY['running'::text, 'paused'::text, 'finished'::text])))",
  'constraint former_encryption_keys_id_check on former_encryption_keys':
    "alter table former_encryption_keys add constraint former_encryption_keys_id_check CHECK ((id ~ '^[0-9a-f]{12}$'::text))",
  'constraint former_encryption_keys_pkey on former_encryption_keys':
    'alter table former_encryption_keys add constraint former_encryption_keys_pkey PRIMARY KEY (id)',
  'constraint limit_windows_amounts_check on limit_windows':
    'alter table limit_windows add constraint limit_windows_amounts_check CHECK ((cardinality(amounts) = 61))',
  'constraint limit_windows_pkey on limit_windows':
    'alter table limit_windows add constraint limit_windows_pkey PRIMARY KEY (tenant_id, tenant_key_id, unit)',
  'constraint limit_windows_tenant_id_tenant_key_id_fkey on limit_windows':
    'alter table limit_windows add constraint limit_windows_tenant_id_tenant_key_id_fkey FOREIGN KEY (tenant_id, tenant_key_id) REFERENCES tenant_keys(tenant_id, id) ON DELETE CASCADE',
  'constraint limit_windows_unit_check on limit_windows':
    "alter table limit_windows add constraint limit_windows_unit_check CHECK ((unit = ANY (ARRAY['requests'::text, 'tokens'::text])))",
  'constraint registered_processes_lease_ms_check on registered_processes':
    'alter table registered_processes add constraint registered_processes_lease_ms_check CHECK (((lease_ms >= 0) AND (lease_ms <= 60000)))',
  'constraint registered_processes_pkey on registered_processes':
    'alter table registered_processes add constraint registered_processes_pkey PRIMARY KEY (id)',
  'constraint registered_processes_seal_form_check on registered_processes':
    'alter table registered_processes add constraint registered_processes_seal_form_check CHECK ((seal_form > 0))',
  'constraint stored_objects_pkey on stored_objects':
    'alter table stored_objects add constraint stored_objects_pkey PRIMARY KEY (tenant_id, id_hash, kind, provider, host)',
  'constraint stored_objects_tenant_id_fkey on stored_objects':
    'alter table stored_objects add constraint stored_objects_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id) ON DELETE CASCADE',
  'constraint sysadmin_keys_pkey on sysadmin_keys':
    'alter table sysadmin_keys add constraint sysadmin_keys_pkey PRIMARY KEY (id)',
  'constraint sysadmin_keys_scopes_check on sysadmin_keys':
    'alter table sysadmin_keys add constraint sysadmin_keys_scopes_check CHECK ((cardinality(scopes) > 0))',
  'constraint sysadmin_sessions_origin on sysadmin_sessions':
    'alter table sysadmin_sessions add constraint sysadmin_sessions_origin CHECK ((((sysadmin_key_id IS NOT NULL) AND (scopes IS NOT NULL) AND (key_proof IS NULL)) OR ((sysadmin_key_id IS NULL) AND (scopes IS NULL) AND (key_proof IS NOT NULL))))',
  'constraint sysadmin_sessions_pkey on sysadmin_sessions':
    'alter table sysadmin_sessions add constraint sysadmin_sessions_pkey PRIMARY KEY (id)',
  'constraint sysadmin_sessions_sysadmin_key_id_fkey on sysadmin_sessions':
    'alter table sysadmin_sessions add constraint sysadmin_sessions_sysadmin_key_id_fkey FOREIGN KEY (sysadmin_key_id) REFERENCES sysadmin_keys(id) ON DELETE CASCADE',
  'constraint tenant_credentials_pkey on tenant_credentials':
    'alter table tenant_credentials add constraint tenant_credentials_pkey PRIMARY KEY (tenant_id, provider)',
  'constraint tenant_credentials_tenant_id_fkey on tenant_credentials':
    'alter table tenant_credentials add constraint tenant_credentials_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id) ON DELETE CASCADE',
  'constraint tenant_keys_allowed_models_check on tenant_keys':
    'alter table tenant_keys add constraint tenant_keys_allowed_models_check CHECK ((cardinality(allowed_models) > 0))',
  'constraint tenant_keys_by_tenant on tenant_keys':
    'alter table tenant_keys add constraint tenant_keys_by_tenant UNIQUE (tenant_id, id)',
  'constraint tenant_keys_pkey on tenant_keys':
    'alter table tenant_keys add constraint tenant_keys_pkey PRIMARY KEY (id)',
  'constraint tenant_keys_requests_per_minute_check on tenant_keys':
    'alter table tenant_keys add constraint tenant_keys_requests_per_minute_check CHECK ((requests_per_minute > 0))',
  'constraint tenant_keys_tenant_id_fkey on tenant_keys':
    'alter table tenant_keys add constraint tenant_keys_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id) ON DELETE CASCADE',
  'constraint tenant_keys_tokens_per_minute_check on tenant_keys':
    'alter table tenant_keys add constraint tenant_keys_tokens_per_minute_check CHECK ((tokens_per_minute > 0))',
  'constraint tenants_name_key on tenants':
    'alter table tenants add constraint tenants_name_key UNIQUE (name)',
  'constraint tenants_pkey on tenants': 'alter table tenants add constraint tenants_pkey PRIMARY KEY (id)',
  'constraint tenants_state_check on tenants':
    "alter table tenants add constraint tenants_state_check CHECK ((state = ANY (ARRAY['active'::text, 'suspended'::text])))",
  'constraint usage_daily_day_tenant_id_provider_model_operation_key_id_s_key on usage_daily':
    'alter table usage_daily add constraint usage_daily_day_tenant_id_provider_model_operation_key_id_s_key UNIQUE NULLS NOT DISTINCT (day, tenant_id, provider, model, operation, key_id, source, mask, version)',
  'constraint usage_hourly_pkey on usage_hourly':
    'alter table usage_hourly add constraint usage_hourly_pkey PRIMARY KEY (hour, tenant_id, provider, model)',
  'constraint usage_lost_batches_pkey on usage_lost_batches':
    'alter table usage_lost_batches add constraint usage_lost_batches_pkey PRIMARY KEY (process)',
  'constraint usage_lost_pkey on usage_lost':
    'alter table usage_lost add constraint usage_lost_pkey PRIMARY KEY (day, tenant_id)',
  'constraint usage_records_outcome_check on usage_records':
    "alter table usage_records add constraint usage_records_outcome_check CHECK ((outcome = ANY (ARRAY['completed'::text, 'failed'::text, 'broken_off'::text, 'client_left'::text])))",
  'constraint usage_records_pkey on usage_records':
    'alter table usage_records add constraint usage_records_pkey PRIMARY KEY (request_id)',
  'constraint usage_records_source_check on usage_records':
    "alter table usage_records add constraint usage_records_source_check CHECK ((source = ANY (ARRAY['tenant'::text, 'global'::text])))",
  'constraint verification_run_id_check on verification_run':
    'alter table verification_run add constraint verification_run_id_check CHECK ((id = 1))',
  'constraint verification_run_pkey on verification_run':
    'alter table verification_run add constraint verification_run_pkey PRIMARY KEY (id)',
  'constraint verification_run_state_check on verification_run':
    "alter table verification_run add constraint verification_run_state_check CHECK ((state = ANY (ARRAY['running'::text, 'paused'::text, 'finished'::text])))",
  'function announce_change': `CREATE OR REPLACE FUNCTION announce_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      declare
        noted text[] := string_to_array(current_setting('tenkey.changed', true), ' ');
        is_noted boolean := coalesce(noted[1] = pg_current_xact_id()::text, false);
      begin
        perform pg_notify('tenkey_changes',
          new.number || ' ' || case when is_noted then array_to_string(noted[2:], ',') else '*' end);
        perform set_config('tenkey.changed', '', true);
        return null;
      end $function$
`,
  'function note_cached_change': `CREATE OR REPLACE FUNCTION note_cached_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      declare
        transaction_id text := pg_current_xact_id()::text;
        noted text[] := string_to_array(current_setting('tenkey.changed', true), ' ');
        before text := case when tg_nargs > 0 and tg_op <> 'INSERT' then to_jsonb(old) ->> tg_argv[0] end;
        after text := case when tg_nargs > 0 and tg_op <> 'DELETE' then to_jsonb(new) ->> tg_argv[0] end;
        tenant text;
      begin
        if noted is null or noted[1] is distinct from transaction_id then
          noted := array[transaction_id];
          update change_head set number = number + 1 where id = 1;
          if not found then
            raise exception 'the row of change_head is missing';
          end if;
        end if;
        foreach tenant in array case when tg_nargs > 0 then array[before, after] else array['*'] end loop
          continue when tenant is null or noted[2] = '*' or tenant = any(noted[2:]);
          if tenant = '*' or cardinality(noted) > 100 then
            noted := array[transaction_id, '*'];
          else
            noted := noted || tenant;
          end if;
        end loop;
        perform set_config('tenkey.changed', array_to_string(noted, ' '), true);
        return null;
      end $function$
`,
  'function refuse_change_of_audit_events': `CREATE OR REPLACE FUNCTION refuse_change_of_audit_events()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      declare
        newest record;
        through bigint;
      begin
        if tg_op = 'DELETE' then
          select e.action, e.outcome, e.tenant_id, e.details into newest
          from audit_events e join audit_head h on h.seq = e.seq where h.id = 1;
          if newest.action = 'audit.expire' and newest.outcome = 'done' then
            through := (newest.details ->> 'through')::bigint;
            if old.seq <= through then
              return old;
            end if;
          end if;
          if tg_table_name = 'audit_values' then
            if newest.action = 'tenant.delete' and newest.details -> 'erased' = 'true'::jsonb
              and newest.tenant_id = old.tenant_id
            then
              return old;
            end if;
          end if;
        end if;
        raise exception 'audit events are append-only';
      end $function$
`,
  'function refuse_change_of_usage_records': `CREATE OR REPLACE FUNCTION refuse_change_of_usage_records()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
      begin
        if tg_op = 'DELETE' and current_setting('tenkey.usage_retention', true) = 'on' then
          return old;
        end if;
        raise exception 'usage records are immutable';
      end $function$
`,
  'function take_from_limit_windows': `CREATE OR REPLACE FUNCTION take_from_limit_windows(requests jsonb)
 RETURNS TABLE(place integer, available bigint, granted bigint, second bigint, amounts bigint[])
 LANGUAGE plpgsql
 SET lock_timeout TO '1s'
AS $function$
      #variable_conflict use_column
      declare
        request record;
        correction record;
        clock bigint;
        step integer;
        back bigint;
        part bigint;
      begin
        for request in
          select ordinality::integer as place, r ->> 'unit' as unit, (r ->> 'tenantId')::uuid as tenant_id,
            r ->> 'tenantKeyId' as tenant_key_id, (r ->> 'limit')::bigint as most_of_all, (r ->> 'least')::bigint as least,
            (r ->> 'most')::bigint as most, r -> 'corrections' as corrections
          from jsonb_array_elements(requests) with ordinality as each (r, ordinality) order by ordinality
        loop
          place := request.place;
          select w.second, w.amounts into second, amounts from limit_windows w
            where w.tenant_id = request.tenant_id and w.tenant_key_id = request.tenant_key_id and w.unit = request.unit
            for update skip locked;
          if not found then
            begin
              insert into limit_windows (tenant_id, tenant_key_id, unit, second, amounts)
                select k.tenant_id, k.id, request.unit, 0, array_fill(0::bigint, array[61]) from tenant_keys k
                where k.tenant_id = request.tenant_id and k.id = request.tenant_key_id and not exists (
                  select from limit_windows w where w.tenant_id = k.tenant_id and w.tenant_key_id = k.id and w.unit = request.unit)
                for key share skip locked
                on conflict do nothing;
              select w.second, w.amounts into second, amounts from limit_windows w
                where w.tenant_id = request.tenant_id and w.tenant_key_id = request.tenant_key_id and w.unit = request.unit
                for update;
              continue when not found;
            exception when lock_not_available or deadlock_detected then
              perform set_config('lock_timeout', '10ms', true);
              available := null;
              granted := null;
              second := null;
              amounts := null;
              return next;
              continue;
            end;
          end if;
          clock := floor(extract(epoch from clock_timestamp()));
          -- A clock that was set back by more than a minute must not keep the window from ever moving.
          if second > clock + 61 then
            second := 0;
          end if;
          step := least(61, greatest(0, clock - second));
          amounts := amounts[step + 1:61] || array_fill(0::bigint, array[step]);
          second := greatest(second, clock);
          for correction in
            select (c ->> 0)::bigint as second, (c ->> 1)::bigint as amount
            from jsonb_array_elements(request.corrections) as each (c) order by 1
          loop
            step := 61 - greatest(0, second - correction.second);
            if correction.amount > 0 and step > 0 then
              amounts[step] := amounts[step] + correction.amount;
            end if;
            back := -correction.amount;
            while back > 0 and step > 0 loop
              part := least(back, amounts[step]);
              amounts[step] := amounts[step] - part;
              back := back - part;
              step := step - 1;
            end loop;
          end loop;
          available := request.most_of_all - (select sum(amount) from unnest(amounts) as each (amount));
          granted := case when available >= request.least then greatest(0, least(request.most, available)) else 0 end;
          amounts[61] := amounts[61] + granted;
          update limit_windows w set second = take_from_limit_windows.second, amounts = take_from_limit_windows.amounts
            where w.tenant_id = request.tenant_id and w.tenant_key_id = request.tenant_key_id and w.unit = request.unit;
          if available >= 0 and granted = request.most then
            amounts := null;
          end if;
          return next;
        end loop;
      end $function$
`,
  'index audit_events_by_time': 'CREATE INDEX audit_events_by_time ON audit_events USING btree (at)',
  'index audit_events_of_tenant':
    'CREATE INDEX audit_events_of_tenant ON audit_events USING btree (tenant_id, seq DESC)',
  'index audit_values_of_tenant':
    'CREATE INDEX audit_values_of_tenant ON audit_values USING btree (tenant_id)',
  'index credential_slots_by_age':
    "CREATE INDEX credential_slots_by_age ON credential_slots USING btree (replaced_at) WHERE (slot = 'previous'::text)",
  'index stored_objects_by_end':
    'CREATE INDEX stored_objects_by_end ON stored_objects USING btree (forget_at) WHERE (forget_at IS NOT NULL)',
  'index stored_objects_by_hash':
    'CREATE INDEX stored_objects_by_hash ON stored_objects USING btree (id_hash)',
  'index sysadmin_sessions_of_key':
    'CREATE INDEX sysadmin_sessions_of_key ON sysadmin_sessions USING btree (sysadmin_key_id, created_at DESC)',
  'index tenant_keys_of_tenant':
    'CREATE INDEX tenant_keys_of_tenant ON tenant_keys USING btree (tenant_id, created_at DESC)',
  'index tenants_newest_first':
    'CREATE INDEX tenants_newest_first ON tenants USING btree (created_at DESC, id DESC)',
  'index usage_daily_of_tenant':
    'CREATE INDEX usage_daily_of_tenant ON usage_daily USING btree (tenant_id, day)',
  'index usage_records_by_time':
    'CREATE INDEX usage_records_by_time ON usage_records USING btree (at, request_id)',
  'index usage_records_of_tenant':
    'CREATE INDEX usage_records_of_tenant ON usage_records USING btree (tenant_id, at, request_id)',
  'sequence credential_versions': 'create sequence credential_versions',
  'trigger audit_events_are_append_only on audit_events':
    'CREATE TRIGGER audit_events_are_append_only BEFORE DELETE OR UPDATE ON audit_events FOR EACH ROW EXECUTE FUNCTION refuse_change_of_audit_events()',
  'trigger audit_events_are_not_emptied on audit_events':
    'CREATE TRIGGER audit_events_are_not_emptied BEFORE TRUNCATE ON audit_events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit_events()',
  'trigger audit_values_are_append_only on audit_values':
    'CREATE TRIGGER audit_values_are_append_only BEFORE DELETE OR UPDATE ON audit_values FOR EACH ROW EXECUTE FUNCTION refuse_change_of_audit_events()',
  'trigger audit_values_are_not_emptied on audit_values':
    'CREATE TRIGGER audit_values_are_not_emptied BEFORE TRUNCATE ON audit_values FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit_events()',
  'trigger change_head_raised on change_head':
    'CREATE CONSTRAINT TRIGGER change_head_raised AFTER UPDATE ON change_head DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION announce_change()',
  'trigger credential_health_forgotten on credential_health':
    "CREATE CONSTRAINT TRIGGER credential_health_forgotten AFTER DELETE ON credential_health DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((old.rejected_at IS NOT NULL)) EXECUTE FUNCTION note_cached_change('tenant_id')",
  'trigger credential_health_noted on credential_health':
    "CREATE CONSTRAINT TRIGGER credential_health_noted AFTER INSERT ON credential_health DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.rejected_at IS NOT NULL)) EXECUTE FUNCTION note_cached_change('tenant_id')",
  'trigger credential_health_updated on credential_health':
    "CREATE CONSTRAINT TRIGGER credential_health_updated AFTER UPDATE ON credential_health DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((old.rejected_at IS NULL) IS DISTINCT FROM (new.rejected_at IS NULL))) EXECUTE FUNCTION note_cached_change('tenant_id')",
  'trigger tenant_credentials_changed on tenant_credentials':
    "CREATE CONSTRAINT TRIGGER tenant_credentials_changed AFTER INSERT OR DELETE ON tenant_credentials DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_cached_change('tenant_id')",
  'trigger tenant_credentials_emptied on tenant_credentials':
    'CREATE TRIGGER tenant_credentials_emptied AFTER TRUNCATE ON tenant_credentials FOR EACH STATEMENT EXECUTE FUNCTION note_cached_change()',
  'trigger tenant_credentials_updated on tenant_credentials':
    "CREATE CONSTRAINT TRIGGER tenant_credentials_updated AFTER UPDATE ON tenant_credentials DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION note_cached_change('tenant_id')",
  'trigger tenant_keys_changed on tenant_keys':
    "CREATE CONSTRAINT TRIGGER tenant_keys_changed AFTER INSERT OR DELETE ON tenant_keys DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_cached_change('tenant_id')",
  'trigger tenant_keys_emptied on tenant_keys':
    'CREATE TRIGGER tenant_keys_emptied AFTER TRUNCATE ON tenant_keys FOR EACH STATEMENT EXECUTE FUNCTION note_cached_change()',
  'trigger tenant_keys_updated on tenant_keys':
    "CREATE CONSTRAINT TRIGGER tenant_keys_updated AFTER UPDATE ON tenant_keys DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((to_jsonb(old.*) - 'last_used_at'::text) IS DISTINCT FROM (to_jsonb(new.*) - 'last_used_at'::text))) EXECUTE FUNCTION note_cached_change('tenant_id')",
  'trigger tenants_changed on tenants':
    "CREATE CONSTRAINT TRIGGER tenants_changed AFTER INSERT OR DELETE ON tenants DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_cached_change('id')",
  'trigger tenants_emptied on tenants':
    'CREATE TRIGGER tenants_emptied AFTER TRUNCATE ON tenants FOR EACH STATEMENT EXECUTE FUNCTION note_cached_change()',
  'trigger tenants_updated on tenants':
    "CREATE CONSTRAINT TRIGGER tenants_updated AFTER UPDATE ON tenants DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION note_cached_change('id')",
  'trigger usage_records_are_immutable on usage_records':
    'CREATE TRIGGER usage_records_are_immutable BEFORE DELETE OR UPDATE ON usage_records FOR EACH ROW EXECUTE FUNCTION refuse_change_of_usage_records()',
  'trigger usage_records_are_not_emptied on usage_records':
    'CREATE TRIGGER usage_records_are_not_emptied BEFORE TRUNCATE ON usage_records FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_usage_records()',
};
