import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import {
  ApiBody,
  ApiOkResponse,
  ApiOperation,
  ApiProperty,
  ApiPropertyOptional,
  ApiSecurity,
  ApiTags,
} from '@nestjs/swagger';
import { IsString, MaxLength, MinLength } from 'class-validator';
import { Access, ApiProblems, jsonOf, Problem, SysadminGrant, sysadminPrefix, validated } from '#http';
import { type Receipt, ReceiptsService } from './receipts.service';
import { UsageRecordResponse } from '../reports/usage-records.dto';
import { UsageReportService } from '../reports/usage-report.service';

export class VerifyReceiptRequest {
  @ApiProperty({ description: 'The x-tenkey-receipt header of an answer.' })
  @IsString()
  @MinLength(1)
  @MaxLength(8192)
  receipt: string;
}

export class VerifyReceiptAnswer {
  @ApiProperty({ description: 'True: Tenkey issued it, and nothing of it was changed.' })
  valid: boolean;
  @ApiPropertyOptional({ description: 'Why it is not.' })
  reason?: string;
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'What it says: which credential the provider accepted for which call.',
    example: {
      request_id: '5f0c2e2a-0d7b-4a43-9a57-0e6f2f0f7c11',
      at: '2026-01-31T12:00:00.000Z',
      tenant_id: '0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10',
      key_id: 'BoT0VjF9rQ2',
      model: 'gpt-4o',
      operation: 'chat/completions',
      adapter: 'litellm',
      provider: 'openai',
      host: 'api.openai.com',
      target: 'gpt-4o',
      source: 'tenant',
      mask: '...xyz9',
      version: '3',
    },
  })
  said?: Receipt;
  @ApiPropertyOptional({
    type: UsageRecordResponse,
    nullable: true,
    description:
      'The usage record of the call; null: not written yet, older than the retention, or changed to one of a tenant that the key is not for.',
  })
  record?: UsageRecordResponse | null;
  @ApiPropertyOptional({
    nullable: true,
    type: Boolean,
    description: 'False: the record says otherwise, so the database was changed. Null: there is none.',
  })
  record_agrees?: boolean | null;
}

@ApiTags('6 Usage')
@ApiSecurity('super-api-key')
@Access('sysadmin', 'usage:read', { filtersTenants: true })
@Controller(`${sysadminPrefix}/receipts`)
export class ReceiptsController {
  constructor(
    private readonly receipts: ReceiptsService,
    private readonly report: UsageReportService,
  ) {}

  @Post('verify')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Check a receipt',
    description:
      'Each answer of a provider under /v1 has an `x-tenkey-receipt` header: proof, under a key derived from ENCRYPTION_KEY, of which credential served which call. A changed or invented one is not valid. Without ENCRYPTION_KEY there are no receipts.',
  })
  @ApiBody({ type: VerifyReceiptRequest })
  @ApiOkResponse({ type: VerifyReceiptAnswer })
  @ApiProblems(
    'unauthenticated',
    'forbidden',
    'feature_disabled',
    'validation_failed',
    'malformed_request',
    'payload_too_large',
    'unsupported_media_type',
    'credential_store_unavailable',
    'internal_error',
  )
  async verify(@Body() body: unknown, @SysadminGrant() grant: SysadminGrant): Promise<VerifyReceiptAnswer> {
    if (!this.receipts.isOn) {
      throw new Problem('feature_disabled', {
        detail: 'There are no receipts without an encryption key.',
        hint: 'Set ENCRYPTION_KEY (npm run generate-encryption-key prints one) and restart.',
      });
    }
    const { receipt } = validated(VerifyReceiptRequest, jsonOf(body));
    const check = this.receipts.verify(receipt);
    if (!check.isValid) return { valid: false, reason: check.reason };
    const said = check.receipt;
    const isHidden = (tenantId: string) => grant.tenantIds?.includes(tenantId) === false;
    if (isHidden(said.tenant_id)) {
      throw new Problem('forbidden', { detail: 'The receipt is of a tenant that this key is not for.' });
    }
    const found = await this.report.record(said.request_id);
    const record = found && UsageRecordResponse.of(found);
    return {
      valid: true,
      said,
      // One that says otherwise may say so of the tenant as well.
      record: record && !isHidden(record.tenant_id) ? record : null,
      record_agrees: record && agrees(said, record),
    };
  }
}

function agrees(said: Receipt, record: UsageRecordResponse): boolean {
  return Object.entries(said).every(([name, value]) => record[name as keyof Receipt] === value);
}
