import { ApiProperty } from '@nestjs/swagger';
import { type Provider } from '#providers';
import { type SlotBeside } from '../credential';
import { type SwappedCredential } from '../replacement/credential-replacement.service';
import { VerificationResponse } from './credentials.dto';

class ReplacedCredentialResponse {
  @ApiProperty({ example: '...abcd' })
  masked_key: string;
  @ApiProperty({ example: '2' })
  version: string;
  @ApiProperty({
    enum: ['previous', 'staged'],
    nullable: true,
    type: String,
    example: 'previous',
    description:
      'Where it is now: after a promotion previous, after a rollback staged. Null: it is not kept, see message.',
  })
  slot: SlotBeside | null;
}

/** What a promotion or a rollback made live. */
export class SwappedCredentialAnswer {
  @ApiProperty({ format: 'uuid', example: '0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10' })
  tenant_id: string;
  @ApiProperty({ example: 'openai' })
  provider: string;
  @ApiProperty({ example: '...xyz9', description: 'Of the one that is live now.' })
  masked_key: string;
  @ApiProperty({ example: '3', description: 'Its version: the one that it had before.' })
  version: string;
  @ApiProperty({ type: VerificationResponse, nullable: true, description: 'Its last one; null: none.' })
  verification: VerificationResponse | null;
  @ApiProperty({ type: ReplacedCredentialResponse, nullable: true, description: 'Null: none was live.' })
  replaced: ReplacedCredentialResponse | null;
  @ApiProperty({
    format: 'date-time',
    nullable: true,
    type: String,
    description: 'Until then the replaced one can be taken back; null: it cannot.',
  })
  rollback_until: string | null;
  @ApiProperty({
    example:
      'The OpenAI (openai) credential ...xyz9 is live. It was not verified. ...abcd can be taken back until 2030-07-03T09:00:00.000Z.',
  })
  message: string;

  static of(
    tenantId: string,
    provider: Provider,
    { live, replaced, rollbackUntil }: SwappedCredential,
    message: string,
  ): SwappedCredentialAnswer {
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
