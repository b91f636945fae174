import { ApiProperty, ApiPropertyOptional, IntersectionType } from '@nestjs/swagger';
import {
  type CredentialStatus,
  credentialStatuses,
  type ListedBeside,
  type ListedCredential,
  type ListedProvider,
  type Rejection,
} from '../credential';
import { VerificationDto } from './credentials.dto';
import { expiresWithinDays, warningDays } from '../expiry';

export class RejectionDto {
  @ApiProperty({ format: 'date-time', description: 'The last time.' })
  at: string;
  @ApiProperty({ example: 3, description: 'How often since the provider last accepted this version.' })
  count: number;

  static of({ at, count }: Rejection): RejectionDto {
    return { at: at.toISOString(), count };
  }
}

/** One stored credential, in whatever slot. */
export class StoredCredentialDto {
  @ApiProperty({ example: '...xyz9' })
  masked_key: string;
  @ApiProperty({ enum: ['encrypted', 'plaintext'] })
  encryption_status: 'encrypted' | 'plaintext';
  @ApiProperty({ format: 'date-time' })
  configured_at: string;
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: { endpoint: 'https://sundsvall.openai.azure.com', api_version: '2024-10-21' },
    description: 'The fields that are not secret.',
  })
  config: Readonly<Record<string, unknown>>;
  @ApiProperty({
    enum: credentialStatuses,
    description:
      'The first that applies. plaintext: stored unsealed and not used. unreadable: sealed under a key that is not loaded. tampered: changed outside Tenkey. rejected: the provider refused it last, in a call or a verification. expired, expiring (within 30 days): as its expires_at says; it is still used. ready: usable.',
  })
  status: CredentialStatus;
  @ApiProperty({ example: '3', description: 'Each key that is set or staged gets a new one, and keeps it.' })
  version: string;
  @ApiProperty({ format: 'date-time', nullable: true, type: String, example: '2030-06-30T00:00:00.000Z' })
  expires_at: string | null;
  @ApiProperty({
    enum: [...warningDays, 0],
    nullable: true,
    type: Number,
    description:
      'The nearest of these that it ends within, as it is warned of; 0: it has. Null: not soon, or no end.',
  })
  expires_within_days: number | null;
  @ApiProperty({
    type: VerificationDto,
    nullable: true,
    description: 'The last one of this version; null: none.',
  })
  verification: VerificationDto | null;
  @ApiProperty({
    type: RejectionDto,
    nullable: true,
    description: 'Null: the provider has not refused it since it last accepted it.',
  })
  rejection: RejectionDto | null;

  static of(credential: ListedCredential): StoredCredentialDto {
    return {
      masked_key: credential.mask,
      encryption_status: credential.isEncrypted ? 'encrypted' : 'plaintext',
      configured_at: credential.configuredAt.toISOString(),
      config: credential.settings,
      status: credential.status,
      version: credential.version,
      expires_at: credential.expiresAt?.toISOString() ?? null,
      expires_within_days: expiresWithinDays(credential.expiresAt) ?? null,
      verification: credential.verification && VerificationDto.of(credential.verification),
      rejection: credential.rejection && RejectionDto.of(credential.rejection),
    };
  }
}

export class PreviousCredentialDto extends StoredCredentialDto {
  @ApiProperty({ format: 'date-time', description: 'Until then it can be taken back.' })
  rollback_until: string;
}

/** What stands beside a live credential. */
class CredentialsBesideDto {
  @ApiProperty({
    type: StoredCredentialDto,
    nullable: true,
    description: 'Stored beside the live one, which calls use, until it is promoted.',
  })
  staged: StoredCredentialDto | null;
  @ApiProperty({
    type: PreviousCredentialDto,
    nullable: true,
    description: 'Live before the last promotion, as long as it can be taken back.',
  })
  previous: PreviousCredentialDto | null;
}

export class ListedCredentialDto extends IntersectionType(StoredCredentialDto, CredentialsBesideDto) {
  @ApiProperty({ example: 'azure' })
  provider: string;

  static ofProvider(listed: ListedProvider): ListedCredentialDto[] {
    const { provider, live } = listed;
    return live ? [{ provider, ...StoredCredentialDto.of(live), ...besideOf(listed) }] : [];
  }
}

export class WithoutLiveDto extends CredentialsBesideDto {
  @ApiProperty({ example: 'mistral' })
  provider: string;

  static ofProvider(listed: ListedProvider): WithoutLiveDto[] {
    return listed.live ? [] : [{ provider: listed.provider, ...besideOf(listed) }];
  }
}

function besideOf({ staged, previous }: ListedBeside): CredentialsBesideDto {
  return {
    staged: staged && StoredCredentialDto.of(staged),
    previous: previous && {
      ...StoredCredentialDto.of(previous),
      rollback_until: previous.rollbackUntil.toISOString(),
    },
  };
}

export class ListCredentialsAnswer {
  @ApiProperty({ type: [ListedCredentialDto], description: 'The live ones, which calls use.' })
  credentials: ListedCredentialDto[];
  @ApiPropertyOptional({
    type: [WithoutLiveDto],
    description: 'Providers for which something is staged and nothing is live; absent: none.',
  })
  without_live?: WithoutLiveDto[];

  static of(listed: readonly ListedProvider[]): ListCredentialsAnswer {
    const withoutLive = listed.flatMap((each) => WithoutLiveDto.ofProvider(each));
    return {
      credentials: listed.flatMap((each) => ListedCredentialDto.ofProvider(each)),
      ...(withoutLive.length > 0 && { without_live: withoutLive }),
    };
  }
}
