import { type Mode } from '#config';
import { expiresWithinDays, type TenantCredentials } from '#credentials';
import { type Provider } from '#providers';
import { type Tenant } from '#tenants';
import { type Model } from '../catalogue/model';
import { type ExpectedProblem, type ExplainedCredential } from './explain-model';

/** What would happen to one tenant's calls of one provider's models. */
export interface ReadinessCell {
  readonly provider: Provider;
  readonly credential?: ExplainedCredential;
  /** The models whose calls would fail. The cell is ready when there are none. */
  readonly failing: readonly Model[];
  /** The problem of the first breaking model, or else of the first failing one. */
  readonly problem?: ExpectedProblem;
  /** The failing models that work in the mode in force, whose credential exists and cannot be used, or whose provider is expected. */
  readonly breaking: readonly Model[];
  /** Warnings, which stop no call. */
  readonly warnings: readonly string[];
}

export interface TenantReadiness {
  readonly tenant: Tenant;
  readonly cells: readonly ReadinessCell[];
}

export interface ExpiryWarning {
  readonly tenant: Tenant;
  readonly provider: string;
  readonly mask: string;
  readonly version: string;
  readonly expiresAt: Date;
  /** 30, 7 or 1; 0 when the credential has expired. */
  readonly withinDays: number;
}

export interface ReadinessPage {
  /** The mode in force. */
  readonly currentMode: Mode;
  /** The mode that the report is about. */
  readonly mode: Mode;
  /** True when there is an encryption key: then calls have receipts, and the audit chain is an HMAC. */
  readonly hasReceipts: boolean;
  /** What blocks the calls of all tenants. */
  readonly blockers: readonly string[];
  /** The providers that the catalogue uses, with their models. */
  readonly columns: ReadonlyMap<Provider, readonly Model[]>;
  readonly rows: readonly TenantReadiness[];
  readonly warnings: readonly ExpiryWarning[];
  /** The number of tenants that the report is about. */
  readonly total: number;
  readonly nextCursor: string | null;
}

/** `failing`: the pairs of tenant and provider that break. `warning`: those with a warning. */
export const readinessParts = ['failing', 'warning'] as const;

/** Which part of the report is wanted. */
export interface ReadinessFilter {
  readonly limit?: number;
  readonly cursor?: string;
  readonly only?: (typeof readinessParts)[number];
  /** The id of a provider. */
  readonly provider?: string;
  /** The id or the exact name of a tenant. */
  readonly tenant?: string;
}

/** @returns undefined when the row has nothing of what is wanted */
export function partOf(
  { tenant, cells }: TenantReadiness,
  expiring: readonly ExpiryWarning[],
  { only, provider: providerId }: ReadinessFilter,
): { row: TenantReadiness; warnings: readonly ExpiryWarning[] } | undefined {
  const warnings = expiring.filter(({ provider }) => providerId === undefined || provider === providerId);
  if (only === undefined) return { row: { tenant, cells }, warnings };
  if (only === 'failing') {
    const failing = cells.filter(({ breaking }) => breaking.length > 0);
    return failing.length === 0 ? undefined : { row: { tenant, cells: failing }, warnings: [] };
  }
  const warned = cells.filter(
    (cell) => cell.warnings.length > 0 || warnings.some(({ provider }) => provider === cell.provider.id),
  );
  // A credential that expires may be for a provider that the catalogue does not use.
  if (warned.length === 0 && warnings.length === 0) return undefined;
  return { row: { tenant, cells: warned }, warnings };
}

/** The warnings cover all stored credentials, including those of providers that the catalogue does not use. */
export function expiryWarnings(tenant: Tenant, credentials: TenantCredentials): ExpiryWarning[] {
  return credentials.all().flatMap(({ provider, mask, version, expiresAt }) => {
    const withinDays = expiresWithinDays(expiresAt);
    if (expiresAt === null || withinDays === undefined) return [];
    return [{ tenant, provider, mask, version, expiresAt, withinDays }];
  });
}
