import { ApiProperty, ApiPropertyOptional, IntersectionType } from '@nestjs/swagger';
import { type ProviderRegistry } from '#providers';
import {
  type CredentialStatus,
  credentialStatuses,
  type InactiveCredentials,
  type ListedCredential,
  type ListedProvider,
  type Rejection,
} from '../credential';
import { VerificationResponse } from './credentials.dto';
import { expiresWithinDays, warningDays } from '../expiry';

export class RejectionResponse {
  @ApiProperty({ format: 'date-time', description: 'When the provider last rejected it.' })
  at: string;
  @ApiProperty({ example: 3, description: 'How often it rejected this version since it last accepted it.' })
  count: number;

  static of({ at, count }: Rejection): RejectionResponse {
    return { at: at.toISOString(), count };
  }
}

/** A stored credential, in any slot. */
export class StoredCredentialResponse {
  @ApiProperty({ example: '...xyz9' })
  masked_key: string;
  @ApiProperty({ enum: ['encrypted', 'plaintext'], enumName: 'EncryptionStatus' })
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
    enumName: 'CredentialStatus',
    description:
      'The first that applies. plaintext: stored unsealed and not used. unreadable: sealed under an encryption key that is not loaded. tampered: changed outside Tenkey. rejected: the provider rejected it in the last call or verification. expired, expiring (within 30 days): according to its expires_at; it is still used. ready: usable.',
  })
  status: CredentialStatus;
  @ApiProperty({
    example: '3',
    description: 'Each credential that is set or staged gets a new version, and keeps it.',
  })
  version: string;
  @ApiProperty({ format: 'date-time', nullable: true, type: String, example: '2030-06-30T00:00:00.000Z' })
  expires_at: string | null;
  @ApiProperty({
    enum: [...warningDays, 0],
    enumName: 'WarningDays',
    nullable: true,
    description:
      '30, 7 or 1: it expires within this number of days. 0: it has expired. Null: it expires later or has no expires_at.',
  })
  expires_within_days: number | null;
  @ApiProperty({
    type: VerificationResponse,
    nullable: true,
    description: 'The last verification of this version; null: none.',
  })
  verification: VerificationResponse | null;
  @ApiProperty({
    type: RejectionResponse,
    nullable: true,
    description: 'Null: the provider has not rejected it since it last accepted it.',
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
  @ApiProperty({ format: 'date-time', description: 'Until then, a rollback can make it live again.' })
  rollback_until: string;
}

class InactiveCredentialsResponse {
  @ApiProperty({ example: 'azure' })
  provider: string;
  @ApiPropertyOptional({
    enum: [true],
    description:
      'The catalogue no longer declares this provider, so no call can use the credential. It is kept for when the provider is declared again; DELETE removes it.',
  })
  unknown_provider?: true;
  @ApiProperty({
    type: StoredCredentialResponse,
    nullable: true,
    description: 'The staged credential. Calls use the live one until the staged one is promoted.',
  })
  staged: StoredCredentialResponse | null;
  @ApiProperty({
    type: PreviousCredentialResponse,
    nullable: true,
    description:
      'The credential that was live before the last promotion. Null: there is none, or the time for a rollback has passed.',
  })
  previous: PreviousCredentialResponse | null;
}

export class ListedCredentialResponse extends IntersectionType(
  StoredCredentialResponse,
  InactiveCredentialsResponse,
) {
  static ofProvider(listed: ListedProvider, providers: ProviderRegistry): ListedCredentialResponse[] {
    const { live } = listed;
    return live
      ? [{ ...providerOf(listed, providers), ...StoredCredentialResponse.of(live), ...inactiveOf(listed) }]
      : [];
  }
}

export class WithoutLiveResponse extends InactiveCredentialsResponse {
  static ofProvider(listed: ListedProvider, providers: ProviderRegistry): WithoutLiveResponse[] {
    return listed.live ? [] : [{ ...providerOf(listed, providers), ...inactiveOf(listed) }];
  }
}

function providerOf({ provider }: ListedProvider, providers: ProviderRegistry) {
  return { provider, ...(!providers.find(provider) && { unknown_provider: true as const }) };
}

function inactiveOf({ staged, previous }: InactiveCredentials) {
  return {
    staged: staged && StoredCredentialResponse.of(staged),
    previous: previous && {
      ...StoredCredentialResponse.of(previous),
      rollback_until: previous.rollbackUntil.toISOString(),
    },
  };
}

export class ListCredentialsResponse {
  @ApiProperty({ type: [ListedCredentialResponse], description: 'The live credentials, which calls use.' })
  credentials: ListedCredentialResponse[];
  @ApiPropertyOptional({
    type: [WithoutLiveResponse],
    description: 'Providers with a staged credential and no live one; absent: none.',
  })
  without_live?: WithoutLiveResponse[];

  static of(listed: readonly ListedProvider[], providers: ProviderRegistry): ListCredentialsResponse {
    const withoutLive = listed.flatMap((each) => WithoutLiveResponse.ofProvider(each, providers));
    return {
      credentials: listed.flatMap((each) => ListedCredentialResponse.ofProvider(each, providers)),
      ...(withoutLive.length > 0 && { without_live: withoutLive }),
    };
  }
}
