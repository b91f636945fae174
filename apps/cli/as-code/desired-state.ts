import { isDeepStrictEqual } from 'node:util';
import { type EntityManager } from 'typeorm';
import { type ChangedBy } from '#http';
import { lockedTenant } from '#tenants';
import { asRefusal, changedByCommand, Refusal } from '../command-line';
import { type Services } from '../services';
import { allTenants } from '../tenant-credentials';
import {
  type Change,
  deletionOf,
  planOf,
  type Step,
  type StepOf,
  type StoredTenant,
  type TenantPlan,
} from './tenant-plan';
import { type DesiredTenant } from './tenants-file';

/**
 * Compares tenants with their descriptions. Reads all tenants in pages; opens the stored keys whose credentials the file gives a key
 * for, one at a time.
 * @param prune whether what the file does not describe is deleted
 * @returns a plan for each described tenant, in the order of the file, and for each tenant that is to be deleted
 */
export async function planTenants(
  services: Services,
  desired: readonly DesiredTenant[],
  prune: boolean,
): Promise<TenantPlan[]> {
  const byId = new Map(desired.flatMap((tenant) => (tenant.id === undefined ? [] : [[tenant.id, tenant]])));
  const byName = new Map(desired.map((tenant) => [tenant.name, tenant]));
  const plans = new Map<DesiredTenant, TenantPlan>();
  const deletions: TenantPlan[] = [];
  /** Descriptions whose name is that of another tenant, and whether the file describes that one too. */
  const taken = new Map<DesiredTenant, boolean>();
  for await (const page of storedTenants(services)) {
    for (const stored of page) {
      const { id, name } = stored.tenant;
      const named = byName.get(name);
      const described = byId.get(id) ?? (named?.id === undefined ? named : undefined);
      if (described === undefined && prune) deletions.push(deletionOf(stored));
      if (described !== undefined) plans.set(described, planOf(described, stored, prune));
      if (named !== undefined && named !== described) taken.set(named, described !== undefined);
    }
  }
  const described = desired.map((tenant) => {
    const plan = plans.get(tenant) ?? planOf(tenant, undefined, prune);
    const faults = [...plan.faults, ...refusedEndpoints(services, tenant, plan.tenantId)];
    const isRenamed = taken.get(tenant);
    if (isRenamed !== undefined) {
      const reason = isRenamed
        ? 'a tenant that this file renames has this name until then. Rename that one first, with a file that leaves this one out, and without --prune. To swap two names, give one of the tenants a free name first'
        : 'another tenant has this name; give the id of that tenant, or another name';
      faults.push({ line: tenant.line, reason });
    }
    return { ...plan, faults };
  });
  return [...described, ...deletions];
}

function refusedEndpoints(
  { credentials }: Services,
  tenant: DesiredTenant,
  id: string,
): TenantPlan['faults'] {
  const { egress_allow: egressAllow } = tenant.fields;
  // What the file leaves out stays as it is; the credential is checked again when it is stored.
  const known = egressAllow === undefined ? undefined : { id, egressAllow };
  return (tenant.credentials ?? []).flatMap(({ settings, line }) => {
    try {
      credentials.refuseEndpoint(settings, known);
      return [];
    } catch (error) {
      return [{ line, reason: (asRefusal(error) as Error).message }];
    }
  });
}

/** All tenants, newest first, in pages. */
export async function* storedTenants(services: Services): AsyncGenerator<StoredTenant[]> {
  for await (const tenants of allTenants(services)) yield await withBelongings(services, tenants);
}

async function withBelongings(
  { credentials, tenantKeys }: Services,
  tenants: readonly StoredTenant['tenant'][],
  source?: EntityManager,
): Promise<StoredTenant[]> {
  const ids = tenants.map(({ id }) => id);
  const overview = await credentials.overview(ids, source);
  const keys = await tenantKeys.ofTenants(ids, source);
  return tenants.map((tenant) => ({
    tenant,
    credentials: overview.get(tenant.id)!,
    keys: keys.get(tenant.id) ?? [],
  }));
}

/** Receives a key that was created, before its creation is committed. */
export type KeyReceiver = (key: { tenant: string; name: string; id: string; key: string }) => void;

/** The command may do what the super key may: it has the database. */
const superGrant = { kind: 'super', actor: 'cli', tenantIds: null, expiresAt: null } as const;

/** Puts plans in force. */
export class DesiredState {
  readonly #by: ChangedBy = changedByCommand();

  constructor(
    private readonly services: Services,
    private readonly prune: boolean,
    private readonly receiveKey: KeyReceiver,
  ) {}

  /**
   * Carries out the plan of one tenant in one transaction. Resolves when it is in force in every process.
   * @throws Refusal when the tenant was changed since it was planned
   */
  async apply(plan: TenantPlan): Promise<void> {
    const { changes, credentials } = this.services;
    await changes.together([plan.tenantId], async (transaction) => {
      await this.#refuseOutdated(plan, transaction);
      if (plan.steps.some(({ of }) => of === 'credential')) {
        await credentials.lockForChanges(transaction, plan.tenantId);
      }
      for (const step of plan.steps) await this.#carryOut(plan, step);
    });
  }

  async #refuseOutdated({ tenantId, desired, steps }: TenantPlan, transaction: EntityManager): Promise<void> {
    // Creating a tenant that exists by now is refused anyway, and a deletion deletes whatever there is.
    if (desired === undefined || steps.some(({ of, change }) => of === 'tenant' && change === 'create'))
      return;
    const tenant = await lockedTenant(transaction, tenantId);
    const [stored] = await withBelongings(this.services, [tenant], transaction);
    if (isDeepStrictEqual(planOf(desired, stored, this.prune).steps, steps)) return;
    throw new Refusal('it was changed after it was planned');
  }

  async #carryOut(plan: TenantPlan, step: Step): Promise<void> {
    switch (step.of) {
      case 'tenant':
        return this.#carryOutTenant(plan, step.change);
      case 'credential':
        return this.#carryOutCredential(plan, step);
      case 'key':
        return this.#carryOutKey(plan, step);
    }
  }

  async #carryOutTenant({ tenantId, name, desired }: TenantPlan, change: Change): Promise<void> {
    const { tenants } = this.services;
    if (change === 'delete') await tenants.remove(tenantId, this.#by);
    else if (change === 'update') await tenants.update(tenantId, desired?.fields ?? {}, this.#by);
    else await tenants.create({ ...desired?.fields, name, id: tenantId }, this.#by);
  }

  async #carryOutCredential({ tenantId, desired }: TenantPlan, step: StepOf<'credential'>): Promise<void> {
    const { credentials } = this.services;
    if (step.change === 'delete') {
      await credentials.remove(tenantId, step.provider, this.#by);
      return;
    }
    const wanted = desired?.credentials?.find(({ provider }) => provider.id === step.provider);
    if (wanted?.apiKey === undefined) throw new TypeError('the file gives no key for this step');
    const fields = { apiKey: wanted.apiKey, settings: wanted.settings, expiresAt: wanted.expiresAt };
    await credentials.set(tenantId, wanted.provider, fields, this.#by, { origin: 'apply' });
  }

  async #carryOutKey({ tenantId, name, desired }: TenantPlan, step: StepOf<'key'>): Promise<void> {
    const { tenantKeys } = this.services;
    if (step.change === 'delete') {
      await tenantKeys.remove(tenantId, step.id ?? '', this.#by);
      return;
    }
    const wanted = desired?.keys?.find(
      ({ policy, id }) => policy.name === step.name && (id ?? step.id) === step.id,
    );
    if (wanted === undefined) throw new TypeError('the file does not describe the key of this step');
    if (step.id !== null) {
      await tenantKeys.update(tenantId, step.id, wanted.policy, superGrant, this.#by);
      return;
    }
    const { row, key } = await tenantKeys.create(tenantId, wanted.policy, superGrant, this.#by);
    this.receiveKey({ tenant: name, name: row.name, id: row.id, key: key.expose() });
  }
}
