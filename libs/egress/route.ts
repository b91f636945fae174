import type { Secret } from '#crypto';
import type { Operation, Provider, Settings, StoredResponseOperation, TargetSource } from '#providers';

/** Whose key pays: the tenant's own, or the operator's global one. */
export const credentialSources = ['tenant', 'global'] as const;
export type CredentialSource = (typeof credentialSources)[number];

export const adapterNames = ['litellm', 'legacy'] as const;
export type AdapterName = (typeof adapterNames)[number];

/** A credential that was found but not opened. */
export interface RouteCredential {
  readonly tenantId: string;
  readonly provider: Provider;
  readonly source: CredentialSource;
  readonly mask: string;
  /** Version of the tenant's row; null for a global key. */
  readonly version: string | null;
  readonly settings: Settings;
  /** True if the provider rejected this version the last time it was used, so that a success is news. */
  readonly wasRejected?: boolean;
  /** Decrypts the key at each call; the result is never kept. */
  open(): Secret;
}

/** Whose key goes where. Everything here is compared before the key is opened, for a call as for a probe. */
export interface Destination {
  readonly tenantId: string;
  readonly provider: Provider;
  readonly url: URL;
  /** `name` or `name:port` of the credential's endpoint or of the operator's base URL. */
  readonly host: string;
  /** Version of the credential; null for a global key. */
  readonly version: string | null;
  /** True if the address comes from the operator's environment or the provider's default; the address policy exempts it. */
  readonly isOperatorAddress: boolean;
  /** The tenant's own exceptions of the address policy; absent: it has none. */
  readonly egressAllow?: readonly string[];
  readonly credential: RouteCredential;
}

/**
 * The frozen decision for one call. An adapter makes it once; egress, the log line, the response headers and the usage
 * record only read it. Tenant and provider are part of it, so no later step can confuse two tenants or providers.
 */
export interface Route extends Destination {
  /** Name in ai_models.yml. */
  readonly model: string;
  /** Where the model runs, as ai_models.yml has it. */
  readonly hosting?: string | undefined;
  readonly adapter: AdapterName;
  /** The provider's own name of the model. */
  readonly upstreamModel: string;
  /** The deployment or model that the upstream request addresses (for Azure, the deployment). */
  readonly target: string;
  /** What decided on the deployment; null for a provider without deployments. */
  readonly targetFrom: TargetSource | null;
  /** The operation that the client requested. */
  readonly operation: Operation | StoredResponseOperation;
  /** The operation of the upstream request: the same, the one to which it is translated, or the one whose stored response it is about. */
  readonly upstreamOperation: Operation;
  /** Of the upstream request; absent: POST. */
  readonly method?: 'GET' | 'DELETE';
}
