import { type DataSource, type EntityManager } from 'typeorm';
import { type ChangesService, readAbilities } from '#cache';
import { type FernetService, type Secret } from '#crypto';
import { type ChangedBy, Problem } from '#http';
import { type Provider } from '#providers';
import { type CreateTenantRequest, lockedTenant, Tenant, type TenantsService } from '#tenants';
import { type CredentialFields, type CredentialStatus, unusableStatuses } from '../credential';
import { type CredentialsService, type TenantCredentials } from '../credentials.service';
import { readSealingState } from '../encryption/sealing-key';
import { FormerKey, type SealingState } from '../encryption/sealing-state.entity';
import { type SealedKey } from '../rows/credential-rows';

/** A sealed key of another system that a loaded encryption key opens. */
export interface OpenedKey extends SealedKey {
  readonly apiKey: Secret;
}

/** A credential of another system, with fields that are valid for a PUT. */
export interface ImportedCredential {
  readonly provider: Provider;
  readonly fields: CredentialFields;
  /** Where the key in the fields comes from, if it was sealed under a loaded key. Its text is then stored as it is. */
  readonly opened?: OpenedKey;
  /** When the key was set; absent: now. */
  readonly configuredAt?: Date;
}

/** A tenant of another system. Its id is in lower case. */
export interface ImportedTenant {
  readonly fields: CreateTenantRequest & { readonly id: string };
  readonly createdAt?: Date;
  /** At most one for each provider. */
  readonly credentials: readonly ImportedCredential[];
}

export interface ImportOptions {
  /** True: a credential that the tenant has is replaced by one that differs. */
  readonly replace: boolean;
  /** What the audit names as the origin. */
  readonly origin: string;
}

/** unusable: the tenant has one that no call can use, and it is not replaced. */
export type ImportAction = 'set' | 'replace' | 'unchanged' | 'keep' | 'unusable';

export interface CredentialResult {
  readonly action: ImportAction;
  /** The mask of the credential that the tenant then has. */
  readonly mask: string;
  /** The status of the one that it has already. */
  readonly status?: CredentialStatus;
  /** Whether a new key was stored in the form in which the other system had sealed it. */
  readonly keepsSeal: boolean;
}

/** What an import does, or would do, with one tenant. */
export interface TenantResult {
  /** taken: another tenant has the name, so nothing of this one is imported. */
  readonly tenant: 'create' | 'exists' | 'taken';
  /** In the order of the tenant's credentials. */
  readonly credentials: readonly CredentialResult[];
}

/**
 * Takes over tenants and credentials of another system. A tenant and its credentials are one transaction, so that a command that is
 * killed leaves either all of a tenant or nothing. Repeating an import changes nothing.
 */
export class CredentialImportService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly fernet: FernetService,
    private readonly tenants: TenantsService,
    private readonly credentials: CredentialsService,
    private readonly changes: ChangesService,
  ) {}

  /** @returns undefined when no loaded encryption key opens the text */
  open(sealed: string): OpenedKey | undefined {
    const opened = this.fernet.openWithAny(sealed);
    return opened && { sealed, encryptionKeyId: opened.encryptionKeyId, apiKey: opened.secret };
  }

  /** What `run` would do with each of the tenants. Writes nothing. */
  async plan(tenants: readonly ImportedTenant[], { replace }: ImportOptions): Promise<TenantResult[]> {
    const ids = tenants.map(({ fields }) => fields.id);
    const known = await this.tenants.findAll(
      ids,
      tenants.map(({ fields }) => fields.name),
    );
    const idsByName = new Map(known.map(({ id, name }) => [name, id]));
    const existing = new Set(known.map(({ id }) => id));
    const overview = await this.credentials.overview(ids.filter((id) => existing.has(id)));
    const state = await readSealingState(this.dataSource);
    const keepable = await this.keepableKeys(this.dataSource.manager, state);
    return tenants.map(({ fields: { id, name }, credentials }) => {
      if (!existing.has(id) && idsByName.has(name)) return { tenant: 'taken', credentials: [] };
      return {
        tenant: existing.has(id) ? 'exists' : 'create',
        credentials: credentials.map((each) => resultOf(overview.get(id), each, replace, keepable)),
      };
    });
  }

  /**
   * Creates the tenant unless there is one with its id, and stores its credentials.
   * @throws Problem tenant_conflict, endpoint_not_allowed, encryption_key_mismatch
   */
  async run(tenant: ImportedTenant, options: ImportOptions, by: ChangedBy): Promise<TenantResult> {
    for (const { fields } of tenant.credentials) this.credentials.refuseEndpoint(fields.settings);
    try {
      return await this.store(tenant, options, by);
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'tenant_conflict') throw error;
      // Something else may have created the tenant in this moment. It exists now, unless another tenant has its name.
      return this.store(tenant, options, by);
    }
  }

  /** Waits until what an earlier import has stored is in force: it may have been killed before it could wait itself. */
  async inForce(): Promise<void> {
    await this.changes.inForce();
  }

  private async store(
    { fields, createdAt, credentials }: ImportedTenant,
    { replace, origin }: ImportOptions,
    by: ChangedBy,
  ): Promise<TenantResult> {
    const { id } = fields;
    return this.changes.together([id], async (transaction) => {
      const exists = await transaction.existsBy(Tenant, { id });
      if (exists) await lockedTenant(transaction, id);
      if (credentials.length > 0) await this.credentials.lockForChanges(transaction, id);
      if (!exists) await this.tenants.create(fields, by, { createdAt, origin });
      const overview = await this.credentials.overview([id], transaction);
      const keepable = await this.keepableKeys(transaction, await readSealingState(transaction));
      const results = credentials.map((each) => resultOf(overview.get(id), each, replace, keepable));
      for (const [index, { provider, fields: values, opened, configuredAt }] of credentials.entries()) {
        const { action, keepsSeal, expiresAt } = results[index]!;
        if (action !== 'set' && action !== 'replace') continue;
        const imported = { configuredAt, ...(keepsSeal && { sealedKey: opened }) };
        await this.credentials.set(id, provider, { ...values, expiresAt }, by, { origin, imported });
      }
      return { tenant: exists ? 'exists' : 'create', credentials: results };
    });
  }

  /**
   * The encryption keys under which a key may stay sealed: the one that seals, and those that a rotation would take it from. Every
   * running process must have them, and a retired key never seals again.
   */
  private async keepableKeys(
    manager: EntityManager,
    sealing: SealingState | undefined,
  ): Promise<ReadonlySet<string>> {
    const retired = new Set(
      (await manager.find(FormerKey)).flatMap(({ id, retiredAt }) => (retiredAt === null ? [] : [id])),
    );
    const processes = await readAbilities(manager);
    const isEverywhere = (keyId: string) =>
      processes.every(({ encryptionKeyIds }) => encryptionKeyIds.includes(keyId));
    const keyIds = this.fernet.keyIds();
    return new Set(
      keyIds.filter((id) => id === sealing?.encryptionKeyId || (!retired.has(id) && isEverywhere(id))),
    );
  }
}

function resultOf(
  existing: TenantCredentials | undefined,
  { provider, fields, opened }: ImportedCredential,
  replace: boolean,
  keepable: ReadonlySet<string>,
): CredentialResult & Pick<CredentialFields, 'expiresAt'> {
  const { apiKey, expiresAt } = fields;
  const listed = existing?.listed(provider.id);
  // A key that was trimmed is not the one that was sealed.
  const keepsSeal =
    opened !== undefined && opened.apiKey.isSame(apiKey) && keepable.has(opened.encryptionKeyId);
  if (existing === undefined || listed === undefined) {
    return { action: 'set', mask: apiKey.mask, keepsSeal, expiresAt };
  }
  const { mask, status } = listed;
  // The other system does not know when the key expires. What Tenkey knows about the same key stays.
  const differing = existing.differing(provider, { ...fields, expiresAt: listed.expiresAt });
  if (differing?.length === 0) return { action: 'unchanged', mask, status, keepsSeal: false, expiresAt };
  if (replace) {
    const isSameKey = differing?.includes('api_key') === false;
    const expiry = isSameKey ? listed.expiresAt : expiresAt;
    return { action: 'replace', mask: apiKey.mask, status, keepsSeal, expiresAt: expiry };
  }
  return {
    action: unusableStatuses.includes(status) ? 'unusable' : 'keep',
    mask,
    status,
    keepsSeal: false,
    expiresAt,
  };
}
