import { ApiProperty } from '@nestjs/swagger';
import { type CredentialStatus, credentialStatuses, type Slot, slots } from '../credential';
import { type EncryptionStatus } from '../rotation/encryption-status.service';
import { type Rotation, type RotationState, rotationStates } from '../rotation/rotation.entity';

class SealedRowsResponse {
  @ApiProperty({ example: 846 })
  live: number;
  @ApiProperty({ example: 2 })
  staged: number;
  @ApiProperty({ example: 9 })
  previous: number;
  @ApiProperty({
    example: 1,
    description: 'Former encryption keys whose signing keys are kept under this key.',
  })
  signing_keys: number;
}

class EncryptionKeyResponse {
  @ApiProperty({ example: '1f0c9d2be871', description: 'Its fingerprint.' })
  key_id: string;
  @ApiProperty({ description: 'Whether credentials that are set now are sealed under it.' })
  seals: boolean;
  @ApiProperty({ description: 'Whether it was retired, and never seals again.' })
  retired: boolean;
  @ApiProperty({ description: 'Whether the process that answers has it.' })
  loaded: boolean;
  @ApiProperty({ type: SealedRowsResponse, description: 'How many rows are sealed under it.' })
  rows: SealedRowsResponse;
  @ApiProperty({ example: 2, description: 'How many processes have it.' })
  processes: number;
}

class RotationFaultResponse {
  @ApiProperty({ format: 'uuid', example: '0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10' })
  tenant_id: string;
  @ApiProperty({ example: 'openai' })
  provider: string;
  @ApiProperty({ enum: slots, enumName: 'Slot', example: 'live' })
  slot: Slot;
  @ApiProperty({ enum: credentialStatuses, enumName: 'CredentialStatus', example: 'tampered' })
  status: CredentialStatus;
}

/** How far a rotation is. */
export class RotationResponse {
  @ApiProperty({ enum: rotationStates, enumName: 'RotationState', example: 'running' })
  state: RotationState;
  @ApiProperty({ example: '1f0c9d2be871', description: 'The key under which credentials are sealed again.' })
  key_id: string;
  @ApiProperty({ example: 857, description: 'How many rows there were to seal when it started.' })
  total: number;
  @ApiProperty({ example: 600, description: 'How many it has sealed.' })
  resealed: number;
  @ApiProperty({ example: 0, description: 'How many cannot be sealed again, and stay as they are.' })
  failed: number;
  @ApiProperty({ type: [RotationFaultResponse], description: 'The first 1,000 of those.' })
  faults: RotationFaultResponse[];
  @ApiProperty({ format: 'date-time', example: '2030-07-01T09:00:00.000Z' })
  started_at: string;
  @ApiProperty({
    format: 'date-time',
    example: '2030-07-01T09:00:04.000Z',
    description: 'The time of its last batch or change of state.',
  })
  changed_at: string;

  static of(rotation: Rotation): RotationResponse {
    const { state, total, resealed, failed, faults } = rotation;
    return {
      state,
      key_id: rotation.encryptionKeyId,
      total,
      resealed,
      failed,
      faults,
      started_at: rotation.startedAt.toISOString(),
      changed_at: rotation.changedAt.toISOString(),
    };
  }
}

export class EncryptionResponse {
  @ApiProperty({ type: [EncryptionKeyResponse], description: 'The key that seals comes first.' })
  keys: EncryptionKeyResponse[];
  @ApiProperty({ example: 0, description: 'Rows whose seal has the form of an earlier version of Tenkey.' })
  older_seals: number;
  @ApiProperty({ example: 2, description: 'How many processes of Tenkey are running.' })
  processes: number;
  @ApiProperty({
    type: RotationResponse,
    nullable: true,
    description: 'The latest rotation; null: there was none.',
  })
  rotation: RotationResponse | null;

  static of(
    { keys, olderSeals, processes }: EncryptionStatus,
    rotation: Rotation | undefined,
  ): EncryptionResponse {
    return {
      keys: keys.map((key) => ({
        key_id: key.keyId,
        seals: key.isSealing,
        retired: key.isRetired,
        loaded: key.isLoaded,
        rows: key.rows,
        processes: key.processes,
      })),
      older_seals: olderSeals,
      processes,
      rotation: rotation === undefined ? null : RotationResponse.of(rotation),
    };
  }
}
