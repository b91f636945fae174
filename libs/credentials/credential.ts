import { type Secret } from '#crypto';
import { type ProbeOutcome } from '#egress';

/** What is not secret of a credential's fields. */
export interface CredentialSettings {
  readonly settings: Readonly<Record<string, unknown>>;
  /** When the provider's key expires, if the sysadmin gave a time. */
  readonly expiresAt: Date | null;
}

/** A validated body: the key in its opaque type, everything else as settings. */
export interface CredentialFields extends CredentialSettings {
  readonly apiKey: Secret;
}

/** A slot without calls: a staged credential waits for its promotion, a previous one can be rolled back to. */
export const inactiveSlots = ['staged', 'previous'] as const;
export type InactiveSlot = (typeof inactiveSlots)[number];

/** A tenant has at most one credential for a provider in each slot. Calls use the live one. */
export const slots = ['live', ...inactiveSlots] as const;
export type Slot = (typeof slots)[number];

/** What an operator must know about a stored credential: the first of these that applies. */
export const credentialStatuses = [
  'plaintext',
  'unreadable',
  'tampered',
  'rejected',
  'expired',
  'expiring',
  'ready',
] as const;
export type CredentialStatus = (typeof credentialStatuses)[number];

/** The statuses in which no call can use a credential. */
export const unusableStatuses: readonly CredentialStatus[] = ['plaintext', 'unreadable', 'tampered'];

/** The result of the last probe of this version. */
export interface Verification {
  readonly outcome: ProbeOutcome;
  readonly latencyMs: number;
  readonly verifiedAt: Date;
}

/** How often the provider rejected this version since it last accepted it, and when it last did. */
export interface Rejection {
  readonly at: Date;
  readonly count: number;
}

export interface ListedCredential {
  readonly provider: string;
  readonly mask: string;
  readonly isEncrypted: boolean;
  readonly configuredAt: Date;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly version: string;
  readonly status: CredentialStatus;
  readonly expiresAt: Date | null;
  readonly verification: Verification | null;
  readonly rejection: Rejection | null;
}

/** The credentials in the inactive slots of one provider. */
export interface InactiveCredentials {
  readonly staged: ListedCredential | null;
  /** Null as well once the time for a rollback has passed. */
  readonly previous: (ListedCredential & { readonly rollbackUntil: Date }) | null;
}

/** Every credential that a tenant has for one provider. */
export interface ListedProvider extends InactiveCredentials {
  readonly provider: string;
  readonly live: ListedCredential | null;
}
