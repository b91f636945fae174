import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type TenantCredentials } from '#credentials';
import { type TenantKey } from '#issued-keys';
import { type Tenant } from '#tenants';
import { type DesiredCredential, type DesiredKey, type DesiredTenant } from './tenants-file';

export type Change = 'create' | 'update' | 'delete';

/** Name of a field -> its value before and after. */
export type FieldChanges = Readonly<Record<string, readonly [before: unknown, after: unknown]>>;

/** One change of a tenant, of one of its credentials or of one of its keys. Contains masks and no keys. */
export type Step =
  | { readonly of: 'tenant'; readonly change: Change; readonly fields: FieldChanges }
  | {
      readonly of: 'credential';
      readonly change: Change;
      readonly provider: string;
      /** True when its key is replaced. */
      readonly isRekeyed: boolean;
      readonly masks: readonly [before: string | null, after: string | null];
      readonly fields: FieldChanges;
    }
  | {
      readonly of: 'key';
      readonly change: Change;
      readonly name: string;
      /** Null for a key that is to be created. */
      readonly id: string | null;
      readonly fields: FieldChanges;
    };

export type StepOf<Of extends Step['of']> = Extract<Step, { readonly of: Of }>;

/** How one tenant differs from its description. */
export interface TenantPlan {
  readonly tenantId: string;
  readonly name: string;
  readonly steps: readonly Step[];
  /** Why the description cannot be put in force, with lines of the file. */
  readonly faults: readonly { readonly line: number; readonly reason: string }[];
  /** Undefined for a tenant that the file does not describe. */
  readonly desired?: DesiredTenant;
}

/** A tenant as it is stored, with what belongs to it. */
export interface StoredTenant {
  readonly tenant: Tenant;
  readonly credentials: TenantCredentials;
  readonly keys: readonly TenantKey[];
}

/** @param prune whether credentials and keys that the file does not describe are deleted, where it describes any */
export function planOf(desired: DesiredTenant, stored: StoredTenant | undefined, prune: boolean): TenantPlan {
  const planner = new Planner(desired, stored, prune);
  return {
    tenantId: stored?.tenant.id ?? desired.id ?? randomUUID(),
    name: desired.name,
    steps: [...planner.tenant(), ...planner.credentials(), ...planner.keys()],
    faults: planner.faults,
    desired,
  };
}

export function deletionOf({ tenant }: StoredTenant): TenantPlan {
  const step: Step = { of: 'tenant', change: 'delete', fields: {} };
  return { tenantId: tenant.id, name: tenant.name, steps: [step], faults: [] };
}

class Planner {
  readonly faults: { line: number; reason: string }[] = [];

  constructor(
    private readonly desired: DesiredTenant,
    private readonly stored: StoredTenant | undefined,
    private readonly prune: boolean,
  ) {}

  tenant(): Step[] {
    const { fields } = this.desired;
    const tenant = this.stored?.tenant;
    const after = {
      name: fields.name,
      display_name: fields.display_name,
      contact_email: fields.contact_email,
      state: fields.state,
      expected_providers: fields.expected_providers,
      allowed_hosting: fields.allowed_hosting,
      allowed_providers: fields.allowed_providers,
      egress_allow: fields.egress_allow,
    };
    const before = {
      name: tenant?.name,
      display_name: tenant?.displayName ?? null,
      contact_email: tenant?.contactEmail ?? null,
      state: tenant?.state ?? 'active',
      expected_providers: tenant?.expectedProviders ?? null,
      allowed_hosting: tenant?.allowedHosting ?? null,
      allowed_providers: tenant?.allowedProviders ?? null,
      egress_allow: tenant?.egressAllow ?? null,
    };
    const changes = changesOf(before, after);
    if (tenant === undefined) return [{ of: 'tenant', change: 'create', fields: changes }];
    return Object.keys(changes).length === 0 ? [] : [{ of: 'tenant', change: 'update', fields: changes }];
  }

  credentials(): Step[] {
    const desired = this.desired.credentials;
    if (desired === undefined) return [];
    const stored = this.stored?.credentials;
    const steps = desired.flatMap((each) => this.#credential(each));
    if (!this.prune || stored === undefined) return steps;
    const described = new Set(desired.map(({ provider }) => provider.id));
    const pruned = stored.all().filter(({ provider }) => !described.has(provider));
    return [
      ...steps,
      ...pruned.map(({ provider, mask }): Step => {
        return {
          of: 'credential',
          change: 'delete',
          provider,
          isRekeyed: false,
          masks: [mask, null],
          fields: {},
        };
      }),
    ];
  }

  #credential({ provider, apiKey, settings, expiresAt, line }: DesiredCredential): Step[] {
    const before = this.stored?.credentials.listed(provider.id);
    const differing = this.stored?.credentials.differing(provider, { apiKey, settings, expiresAt });
    if (differing?.length === 0) return [];
    if (apiKey === undefined) {
      const why =
        before === undefined
          ? `${provider.label} has no credential yet`
          : differing?.[0] === 'api_key'
            ? `the stored ${provider.label} credential is ${before.status}`
            : `${differing?.join(', ')} of the stored ${provider.label} credential differ, and a change of them needs the key`;
      this.faults.push({ line, reason: `${why}: give api_key_env or api_key_file` });
      return [];
    }
    const fields = changesOf(
      { ...before?.settings, expires_at: before?.expiresAt?.toISOString() ?? null },
      { ...unset(before?.settings), ...settings, expires_at: expiresAt?.toISOString() ?? null },
    );
    const isRekeyed = differing?.includes('api_key') ?? true;
    const change = before === undefined ? 'create' : 'update';
    const masks = [before?.mask ?? null, apiKey.mask] as const;
    return [{ of: 'credential', change, provider: provider.id, isRekeyed, masks, fields }];
  }

  keys(): Step[] {
    const desired = this.desired.keys;
    if (desired === undefined) return [];
    const described = new Set<string>();
    const steps = desired.flatMap((key) => this.#key(key, described));
    if (!this.prune) return steps;
    const pruned = (this.stored?.keys ?? []).filter(({ id }) => !described.has(id));
    return [
      ...steps,
      ...pruned.map(({ id, name }): Step => ({ of: 'key', change: 'delete', name, id, fields: {} })),
    ];
  }

  #key({ id, policy, line }: DesiredKey, described: Set<string>): Step[] {
    const stored = this.stored?.keys ?? [];
    const named = stored.filter((key) => (id === undefined ? key.name === policy.name : key.id === id));
    if (named.length > 1) {
      this.faults.push({
        line,
        reason: 'the tenant has several keys with this name; give the id of the key that you mean',
      });
      return [];
    }
    if (id !== undefined && named.length === 0) {
      this.faults.push({ line, reason: 'the tenant has no key with this id; leave out id to create one' });
      return [];
    }
    const [key] = named;
    if (key !== undefined) described.add(key.id);
    const after = {
      name: policy.name,
      allowed_models: policy.allowed_models ?? null,
      requests_per_minute: policy.requests_per_minute ?? null,
      tokens_per_minute: policy.tokens_per_minute ?? null,
      expires_at: policy.expires_at ? new Date(policy.expires_at).toISOString() : null,
    };
    const before = {
      name: key?.name,
      allowed_models: key?.allowedModels ?? null,
      requests_per_minute: key?.requestsPerMinute ?? null,
      tokens_per_minute: key?.tokensPerMinute ?? null,
      expires_at: key?.expiresAt?.toISOString() ?? null,
    };
    const fields = changesOf(before, after);
    if (Object.keys(fields).length === 0) return [];
    if (after.expires_at !== before.expires_at && hasExpired(after.expires_at)) {
      this.faults.push({ line, reason: 'expires_at must be in the future' });
      return [];
    }
    return [{ of: 'key', change: key ? 'update' : 'create', name: policy.name, id: key?.id ?? null, fields }];
  }
}

const hasExpired = (time: string | null): boolean => time !== null && Date.parse(time) <= Date.now();

/** @param after what is undefined here stays as it is */
function changesOf(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): FieldChanges {
  const names = Object.keys(after).filter(
    (name) => after[name] !== undefined && !isDeepStrictEqual(before[name] ?? null, after[name]),
  );
  return Object.fromEntries(names.map((name) => [name, [before[name] ?? null, after[name]]]));
}

/** The same names, with null in place of each value. */
function unset(settings: Readonly<Record<string, unknown>> = {}): Record<string, null> {
  return Object.fromEntries(Object.keys(settings).map((name) => [name, null]));
}
