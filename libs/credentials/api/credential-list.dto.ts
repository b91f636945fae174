import { ApiProperty, ApiPropertyOptional, IntersectionType } from '@nestjs/swagger';
import {
  type CredentialStatus,
  credentialStatuses,
  type ListedBeside,
  type ListedCredential,
  type ListedProvider,
  type Rejection,
} from '../credential';
import { VerificationResponse } from './credentials.dto';
import { expiresWithinDays, warningDays } from '../expiry';

export class RejectionResponse {
  @ApiProperty({ format: 'date-time', description: 'The last time.' })
  at: string;
  @ApiProperty({ example: 3, description: 'How often since the provider last accepted this version.' })
  count: number;

  static of({ at, count }: Rejection): RejectionResponse {
    return { at: at.toISOString(), count };
  }
}

/** One stored credential, in whatever slot. */
export class StoredCredentialResponse {
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
    type: VerificationResponse,
    nullable: true,
    description: 'The last one of this version; null: none.',
  })
  verification: VerificationResponse | null;
  @ApiProperty({
    type: RejectionResponse,
    nullable: true,
    description: 'Null: the provider has not refused it since it last accepted it.',
  })
  rejection: RejectionResponse | null;

  static of(credential: ListedCredential): StoredCredentialResponse {
    return {
      masked_key: credential.mask,
      encryption_status: credential.isEncrypted ? 'encrypted' : 'plaintext',
      configured_at: credential.configuredAt.toISOString(),
      config: credential.settings,
      status: credential.status,
      version: credential.version,
      expires_at: credential.expiresAt?.toISOString() ?? null,
      expires_within_days: expiresWithinDays(credential.expiresAt) ?? null,
      verification: credential.verification && VerificationResponse.of(credential.verification),
      rejection: credential.rejection && RejectionResponse.of(credential.rejection),
    };
  }
}

export class PreviousCredentialResponse extends StoredCredentialResponse {
  @ApiProperty({ format: 'date-time', description: 'Until then it can be taken back.' })
  rollback_until: string;
}

/** What stands beside a live credential. */
class InactiveCredentialsResponse {
  @ApiProperty({
    type: StoredCredentialResponse,
    nullable: true,
    description: 'Stored beside the live one, which calls use, until it is promoted.',
  })
  staged: StoredCredentialResponse | null;
  @ApiProperty({
    type: PreviousCredentialResponse,
    nullable: true,
    description: 'Live before the last promotion, as long as it can be taken back.',
  })
  previous: PreviousCredentialResponse | null;
}

export class ListedCredentialResponse extends IntersectionType(
  StoredCredentialResponse,
  InactiveCredentialsResponse,
) {
  @ApiProperty({ example: 'azure' })
  provider: string;

  static ofProvider(listed: ListedProvider): ListedCredentialResponse[] {
    const { provider, live } = listed;
    return live ? [{ provider, ...StoredCredentialResponse.of(live), ...besideOf(listed) }] : [];
  }
}

export class WithoutLiveResponse extends InactiveCredentialsResponse {
  @ApiProperty({ example: 'mistral' })
  provider: string;

  static ofProvider(listed: ListedProvider): WithoutLiveResponse[] {
    return listed.live ? [] : [{ provider: listed.provider, ...besideOf(listed) }];
  }
}

function besideOf({ staged, previous }: ListedBeside): InactiveCredentialsResponse {
  return {
    staged: staged && StoredCredentialResponse.of(staged),
    previous: previous && {
      ...StoredCredentialResponse.of(previous),
      rollback_until: previous.rollbackUntil.toISOString(),
    },
  };
}

export class ListCredentialsAnswer {
  @ApiProperty({ type: [ListedCredentialResponse], description: 'The live ones, which calls use.' })
  credentials: ListedCredentialResponse[];
  @ApiPropertyOptional({
    type: [WithoutLiveResponse],
    description: 'Providers for which something is staged and nothing is live; absent: none.',
  })
  without_live?: WithoutLiveResponse[];

  static of(listed: readonly ListedProvider[]): ListCredentialsAnswer {
    const withoutLive = listed.flatMap((each) => WithoutLiveResponse.ofProvider(each));
    return {
      credentials: listed.flatMap((each) => ListedCredentialResponse.ofProvider(each)),
      ...(withoutLive.length > 0 && { without_live: withoutLive }),
    };
  }
}
