import { type Secret } from '#crypto';
import { type ProbeOutcome } from '#egress';

/** A validated body: the key in its opaque type, everything else as settings. */
export interface CredentialFields {
  readonly apiKey: Secret;
  readonly settings: Readonly<Record<string, unknown>>;
  /** When the provider's key ends, where the sysadmin said so. */
  readonly expiresAt: Date | null;
}

/** Where a credential of a tenant for a provider can stand, one in each. Calls use the live one. */
export const slots = ['live', 'staged', 'previous'] as const;
export type Slot = (typeof slots)[number];
export type SlotBeside = Exclude<Slot, 'live'>;

/** What the operator must know of a stored credential; the first that applies. */
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

/** What the provider said when it was last asked about this version. */
export interface Verification {
  readonly outcome: ProbeOutcome;
  readonly latencyMs: number;
  readonly verifiedAt: Date;
}

/** Since the provider last accepted this version: how often it refused it, and when last. */
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

/** What stands beside a live credential. */
export interface ListedBeside {
  readonly staged: ListedCredential | null;
  /** Absent as well once it can be taken back no more. */
  readonly previous: (ListedCredential & { readonly rollbackUntil: Date }) | null;
}

/** All that a tenant has for one provider. */
export interface ListedProvider extends ListedBeside {
  readonly provider: string;
  readonly live: ListedCredential | null;
}
