import { Body, Controller, Get, HttpCode, Post, Query, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyRequest } from 'fastify';
import { Access, ApiProblems, jsonOf, refuseFields, sysadminPrefix, validated } from '#http';
import {
  AuditChainResponse,
  MAXIMUM_EVENTS,
  VerifiedAuditEventsResponse,
  VerifyAuditChainQuery,
} from './audit-chain.dto';
import { AuditChainService } from './audit-chain.service';

const path = `${sysadminPrefix}/audit-events/chain`;

/** It concerns the events of all tenants, so a key that is limited to some cannot open it. */
@ApiTags('Audit')
@Access('sysadmin', 'audit:read')
@Controller(path)
export class AuditChainController {
  constructor(private readonly chain: AuditChainService) {}

  @Get()
  @ApiOperation({
    summary: 'Show the state of the audit chain',
    description: 'What the database has, and how the last verification ended. Nothing is verified for this.',
  })
  @ApiOkResponse({ type: AuditChainResponse })
  async getAuditChain(): Promise<AuditChainResponse> {
    return AuditChainResponse.of(await this.chain.state());
  }

  @Post('verify')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Verify that no audit event was edited, moved or removed',
    description:
      'Verifies what `npx tenkey audit verify` does, in parts, so that calls and changes are not slowed down: each request reads at most `limit` events, for at most two seconds. Repeat it with `after` set to `next_after` until that is null. The chain is intact if every part is. A process verifies for one request at a time.',
  })
  @ApiOkResponse({ type: VerifiedAuditEventsResponse })
  @ApiProblems('verification_conflict', 'malformed_request', 'payload_too_large', 'unsupported_media_type')
  async verifyAuditChain(
    @Query() text: VerifyAuditChainQuery,
    @Body() body: unknown,
    @Req() { tenkey }: FastifyRequest,
  ): Promise<VerifiedAuditEventsResponse> {
    const { after, limit = MAXIMUM_EVENTS } = validated(VerifyAuditChainQuery, text);
    refuseFields(jsonOf(body), {
      detail: 'This route accepts no fields: it verifies the events that are stored.',
      hint: 'Send no body.',
    });
    return VerifiedAuditEventsResponse.of(await this.chain.verify(after, limit, () => tenkey.isCancelled));
  }
}
