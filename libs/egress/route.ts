import type { Secret } from '#crypto';
import type { Operation, Provider, Settings } from '#providers';

/** Whose key pays: the tenant's own, or the operator's global one. */
export const credentialSources = ['tenant', 'global'] as const;
export type CredentialSource = (typeof credentialSources)[number];

export const adapterNames = ['litellm', 'legacy'] as const;
export type AdapterName = (typeof adapterNames)[number];

/**
 * A credential found but not opened: whose it is, which version, what its mask is, and how to open it.
 * `open` decrypts anew at each call; nothing keeps what it returns.
 */
export interface RouteCredential {
  readonly tenantId: string;
  readonly provider: Provider;
  readonly source: CredentialSource;
  readonly mask: string;
  /** Version of the tenant's row; null for a global key. */
  readonly version: string | null;
  readonly settings: Settings;
  /** True when the provider refused this version last: a success is then news. */
  readonly wasRejected?: boolean;
  open(): Secret;
}

/** Whose key goes where: what is compared before a key is opened, of a call as of a probe. */
export interface Destination {
  readonly tenantId: string;
  readonly provider: Provider;
  readonly url: URL;
  /** Of the endpoint that the credential or the operator names, before a path was put to it: `name` or `name:port`. */
  readonly host: string;
  /** Of the credential that was found; null where it has none. */
  readonly version: string | null;
  /** True when the address comes from the operator's environment or the provider's default: exempt from the address policy. */
  readonly isOperatorAddress: boolean;
  readonly credential: RouteCredential;
}

/**
 * The frozen decision for one request. An adapter makes it once; the call, the log line, the answer's headers and the
 * usage record only read it. Tenant and provider travel inside it, so no later step can mix two of them up.
 */
export interface Route extends Destination {
  /** Name in ai_models.yml. */
  readonly model: string;
  readonly adapter: AdapterName;
  /** The provider's own name of the model. */
  readonly upstreamModel: string;
  /** The deployment or model actually addressed (azure: the deployment). */
  readonly target: string;
  /** What the client asked for. */
  readonly operation: Operation;
  /** What the provider is asked for: the same, or what it is translated to. */
  readonly upstreamOperation: Operation;
}
