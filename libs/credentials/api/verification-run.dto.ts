import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { type CredentialStatus, type Slot, slots } from '../credential';
import { type VerificationRun } from '../overview/verification-run.entity';
import { type RotationState, rotationStates } from '../rotation/rotation.entity';
import { CredentialFilterQuery, overviewStatus } from './credential-overview.dto';

export class VerifyAllQuery extends CredentialFilterQuery {
  @ApiPropertyOptional({
    type: Boolean,
    description:
      'true: continues the paused verification with its own filter, and no other parameter is accepted. Nothing changes if it is running.',
  })
  @IsOptional()
  @IsIn(['true', 'false'], { message: '$property must be true or false' })
  resume?: string;
}

class NotAcceptedResponse {
  @ApiProperty({ format: 'uuid', example: '0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10' })
  tenant_id: string;
  @ApiProperty({
    nullable: true,
    type: String,
    example: 'sundsvall',
    description: "The tenant's name; null: the tenant was deleted.",
  })
  tenant: string | null;
  @ApiProperty({ example: 'openai' })
  provider: string;
  @ApiProperty({ enum: slots, enumName: 'Slot', example: 'live' })
  slot: Slot;
  @ApiProperty({ example: '...xyz9' })
  masked_key: string;
  @ApiProperty({
    example: 'rejected',
    description:
      'The outcome of the verification, or what prevented one: the code of a problem such as credential_unreadable, or unknown_provider for a provider that the catalogue no longer declares.',
  })
  outcome: string;
}

class VerificationFilterResponse {
  @ApiPropertyOptional({ ...overviewStatus, example: 'rejected' })
  status?: CredentialStatus;
  @ApiPropertyOptional({ example: 'openai' })
  provider?: string;
  @ApiPropertyOptional({ example: 30 })
  expires_within_days?: number;
  @ApiPropertyOptional({ example: false })
  staged?: boolean;
}

/** How far a verification of many credentials is. */
export class VerificationRunResponse {
  @ApiProperty({ enum: rotationStates, enumName: 'RotationState', example: 'running' })
  state: RotationState;
  @ApiProperty({
    type: VerificationFilterResponse,
    description: 'Which credentials it verifies; empty: all.',
  })
  filter: VerificationFilterResponse;
  @ApiProperty({ example: 870, description: 'How many credentials the filter selected when it started.' })
  total: number;
  @ApiProperty({ example: 600, description: 'How many it has verified.' })
  verified: number;
  @ApiProperty({ example: 1, description: 'How many of those are not accepted.' })
  not_accepted: number;
  @ApiProperty({ type: [NotAcceptedResponse], description: 'The first 1,000 that are not accepted.' })
  faults: NotAcceptedResponse[];
  @ApiProperty({ format: 'date-time', example: '2030-07-01T09:00:00.000Z' })
  started_at: string;
  @ApiProperty({
    format: 'date-time',
    example: '2030-07-01T09:01:00.000Z',
    description: 'The time of its last batch or change of state.',
  })
  changed_at: string;

  /** @param names the tenants' names by id */
  static of(run: VerificationRun, names: ReadonlyMap<string, string>): VerificationRunResponse {
    const { status, provider, expiresWithinDays: expires, staged } = run.filter;
    return {
      state: run.state,
      filter: { status, provider, expires_within_days: expires, staged },
      total: run.total,
      verified: run.verified,
      not_accepted: run.notAccepted,
      faults: run.faults.map(({ tenant_id, ...fault }) => ({
        tenant_id,
        tenant: names.get(tenant_id) ?? null,
        ...fault,
      })),
      started_at: run.startedAt.toISOString(),
      changed_at: run.changedAt.toISOString(),
    };
  }
}

export class LatestVerificationResponse {
  @ApiProperty({
    type: VerificationRunResponse,
    nullable: true,
    description: 'The latest verification of many credentials; null: there was none.',
  })
  verification: VerificationRunResponse | null;
}
