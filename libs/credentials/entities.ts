import { FormerKey, SealingState } from './encryption/sealing-state.entity';
import { Rotation } from './rotation/rotation.entity';
import { CredentialHealth, CredentialSlot, TenantCredential } from './rows/credentials.entity';
import { VerificationRun } from './overview/verification-run.entity';

/** The entities of this lib. */
export const credentialEntities = [
  TenantCredential,
  CredentialSlot,
  CredentialHealth,
  SealingState,
  FormerKey,
  Rotation,
  VerificationRun,
] as const;
