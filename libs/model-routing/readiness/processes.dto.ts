import { ApiProperty } from '@nestjs/swagger';
import { type ProcessState } from '#cache';

export class ProcessResponse {
  @ApiProperty({
    format: 'uuid',
    example: '3f1b6c0e-52a7-4f0b-9d54-0c7a8e1d2b96',
    description:
      'Of its registration. It is another one after a start, and after the process was taken for silent.',
  })
  id: string;
  @ApiProperty({ description: 'Whether it is the process that responds.' })
  is_this: boolean;
  @ApiProperty({
    format: 'date-time',
    example: '2026-01-31T08:00:00.000Z',
    description: 'When it registered.',
  })
  registered_at: string;
  @ApiProperty({
    format: 'date-time',
    nullable: true,
    type: String,
    example: '2026-01-31T12:00:00.000Z',
    description:
      'When it renewed its registration last. Null: it runs an earlier version, which does not note it.',
  })
  renewed_at: string | null;
  @ApiProperty({
    example: 5,
    description:
      'For how long it may use what it has cached after it renewed its registration. 0: it caches nothing, and no change waits for it.',
  })
  lease_seconds: number;
  @ApiProperty({ example: 11520, description: 'How often it has renewed its registration.' })
  renewals: number;
  @ApiProperty({
    nullable: true,
    type: Number,
    example: 0,
    description:
      'How many of the last changes it has not confirmed yet. It stays above 0 only while a change waits for this process. Null without a lease.',
  })
  changes_behind: number | null;
  @ApiProperty({
    nullable: true,
    type: Boolean,
    example: false,
    description:
      'Whether it has not renewed its registration for 1.1 times its lease, or without a lease for six seconds: it was killed, hangs, or cannot reach the database. The next change removes it. Null: `renewed_at` is not known.',
  })
  is_silent: boolean | null;
  @ApiProperty({
    type: [String],
    example: ['1f0c9d2be871'],
    description: 'The fingerprints of the encryption keys that it has loaded.',
  })
  encryption_key_ids: string[];
  @ApiProperty({
    nullable: true,
    type: Boolean,
    example: true,
    description: 'Whether it has the key that seals. Null: nothing is sealed yet.',
  })
  has_sealing_key: boolean | null;
  @ApiProperty({
    example: 2,
    description:
      'The newest form of seals that it can verify. A process of an earlier version has a lower one.',
  })
  seal_form: number;

  static of(
    process: ProcessState,
    ownId: string | undefined,
    sealingKeyId: string | undefined,
  ): ProcessResponse {
    return {
      id: process.id,
      is_this: process.id === ownId,
      registered_at: process.registeredAt.toISOString(),
      renewed_at: process.renewedAt?.toISOString() ?? null,
      lease_seconds: process.leaseMs / 1000,
      renewals: process.renewals,
      changes_behind: process.changesBehind,
      is_silent: process.isSilent,
      encryption_key_ids: [...process.encryptionKeyIds],
      has_sealing_key: sealingKeyId === undefined ? null : process.encryptionKeyIds.includes(sealingKeyId),
      seal_form: process.sealForm,
    };
  }
}

export class ProcessListResponse {
  @ApiProperty({ type: [ProcessResponse], description: 'In the order in which they registered.' })
  items: ProcessResponse[];
  @ApiProperty({ example: 2 })
  count: number;
}
