import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import {
  ApiBody,
  ApiOkResponse,
  ApiOperation,
  ApiProperty,
  ApiPropertyOptional,
  ApiTags,
} from '@nestjs/swagger';
import { IsString, MaxLength, MinLength } from 'class-validator';
import { Access, ApiProblems, jsonOf, Problem, SysadminGrant, sysadminPrefix, validated } from '#http';
import { type Receipt, ReceiptsService } from './receipts.service';
import { UsageRecordResponse } from '../reports/usage-records.dto';
import { UsageReportService } from '../reports/usage-report.service';
import { UsageResponsesService } from '../reports/usage-responses.service';

export class VerifyReceiptRequest {
  @ApiProperty({ minLength: 1, maxLength: 8192, description: 'The x-tenkey-receipt header of a response.' })
  @IsString()
  @MinLength(1)
  @MaxLength(8192)
  receipt: string;
}

export class VerifyReceiptResponse {
  @ApiProperty({ description: 'True if Tenkey issued the receipt and it was not changed.' })
  valid: boolean;
  @ApiPropertyOptional({ description: 'Why the receipt is not valid.' })
  reason?: string;
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'What the receipt proves: which credential the provider accepted for which call.',
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
      'The usage record of the call. Null if it is not written yet, was deleted after USAGE_RETENTION_DAYS, or was changed to a tenant that this key may not see.',
  })
  record?: UsageRecordResponse | null;
  @ApiPropertyOptional({
    nullable: true,
    type: Boolean,
    description:
      'False if the record differs, which means that the database was changed. Null if there is no record.',
  })
  record_agrees?: boolean | null;
}

@ApiTags('Usage')
@Access('sysadmin', 'usage:read', { filtersTenants: true })
@Controller(`${sysadminPrefix}/receipts`)
export class ReceiptsController {
  constructor(
    private readonly receipts: ReceiptsService,
    private readonly report: UsageReportService,
    private readonly responses: UsageResponsesService,
  ) {}

  @Post('verify')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Check a receipt',
    description:
      'The header `x-tenkey-receipt` of a response under /v1 proves which credential served the call. This route says whether Tenkey issued the receipt, what it proves, and whether the usage record agrees. Without ENCRYPTION_KEY there are no receipts.',
  })
  @ApiBody({ type: VerifyReceiptRequest })
  @ApiOkResponse({ type: VerifyReceiptResponse })
  @ApiProblems('feature_disabled')
  async verifyReceipt(
    @Body() body: unknown,
    @SysadminGrant() grant: SysadminGrant,
  ): Promise<VerifyReceiptResponse> {
    if (!this.receipts.isEnabled) {
      throw new Problem('feature_disabled', {
        detail: 'There are no receipts without an encryption key.',
        hint: 'Set ENCRYPTION_KEY (npm run generate-encryption-key prints one) and restart.',
      });
    }
    const check = this.receipts.verify(validated(VerifyReceiptRequest, jsonOf(body)).receipt);
    if (!check.isValid) return { valid: false, reason: check.reason };
    const { receipt } = check;
    const isHidden = (tenantId: string) => grant.tenantIds?.includes(tenantId) === false;
    if (isHidden(receipt.tenant_id)) {
      throw new Problem('forbidden', {
        detail: 'The receipt belongs to a tenant that this key may not see.',
      });
    }
    const stored = await this.report.record(receipt.request_id);
    const [record = null] = await this.responses.records(stored === null ? [] : [stored]);
    return {
      valid: true,
      said: receipt,
      // A record that was changed may name a tenant that this key may not see.
      record: record && !isHidden(record.tenant_id) ? record : null,
      record_agrees: record && agrees(receipt, record),
    };
  }
}

function agrees(receipt: Receipt, record: UsageRecordResponse): boolean {
  return Object.entries(receipt).every(([name, value]) => record[name as keyof Receipt] === value);
}
