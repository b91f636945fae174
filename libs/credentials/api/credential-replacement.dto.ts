import { ApiProperty } from '@nestjs/swagger';
import { type Provider } from '#providers';
import { type InactiveSlot, inactiveSlots } from '../credential';
import { type SwappedCredential } from '../replacement/credential-replacement.service';
import { VerificationResponse } from './credentials.dto';

class ReplacedCredentialResponse {
  @ApiProperty({ example: '...abcd' })
  masked_key: string;
  @ApiProperty({ example: '2' })
  version: string;
  @ApiProperty({
    enum: inactiveSlots,
    enumName: 'InactiveSlot',
    nullable: true,
    example: 'previous',
    description:
      'Where it is now: previous after a promotion, staged after a rollback. Null: it was deleted; `message` says why.',
  })
  slot: InactiveSlot | null;
}

/** What a promotion or a rollback made live. */
export class SwappedCredentialResponse {
  @ApiProperty({ format: 'uuid', example: '0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10' })
  tenant_id: string;
  @ApiProperty({ example: 'openai' })
  provider: string;
  @ApiProperty({ example: '...xyz9', description: 'The mask of the credential that is live now.' })
  masked_key: string;
  @ApiProperty({ example: '3', description: 'Its version, which does not change.' })
  version: string;
  @ApiProperty({
    type: VerificationResponse,
    nullable: true,
    description: 'Its last verification; null: none.',
  })
  verification: VerificationResponse | null;
  @ApiProperty({
    type: ReplacedCredentialResponse,
    nullable: true,
    description: 'The credential that was live before; null: none.',
  })
  replaced: ReplacedCredentialResponse | null;
  @ApiProperty({
    format: 'date-time',
    nullable: true,
    type: String,
    description:
      'Until then, a rollback can make the replaced credential live again. Null: no rollback is possible.',
  })
  rollback_until: string | null;
  @ApiProperty({
    example:
      'The OpenAI (openai) credential ...xyz9 is live. It was not verified. ...abcd can be rolled back to until 2030-07-03T09:00:00.000Z.',
  })
  message: string;

  static of(
    tenantId: string,
    provider: Provider,
    { live, replaced, rollbackUntil }: SwappedCredential,
    message: string,
  ): SwappedCredentialResponse {
    return {
      tenant_id: tenantId,
      provider: provider.id,
      masked_key: live.mask,
      version: live.version,
      verification: live.verification && VerificationResponse.of(live.verification),
      replaced: replaced && { masked_key: replaced.mask, version: replaced.version, slot: replaced.slot },
      rollback_until: rollbackUntil?.toISOString() ?? null,
      message,
    };
  }
}
