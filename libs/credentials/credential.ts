import { type Secret } from '#crypto';

/** A validated body: the key in its opaque type, everything else as settings. */
export interface CredentialFields {
  readonly apiKey: Secret;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** What the operator must know of a stored credential; the first that applies. */
export type CredentialStatus = 'plaintext' | 'unreadable' | 'tampered' | 'ready';

export interface ListedCredential {
  readonly provider: string;
  readonly mask: string;
  readonly isEncrypted: boolean;
  readonly configuredAt: Date;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly version: string;
  readonly status: CredentialStatus;
}
