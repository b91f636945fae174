import { Readable } from 'node:stream';
import { Controller, Get, Header, Query, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, SysadminGrant, sysadminPrefix, validated } from '#http';
import { AuditEventResponse, AuditEventPageResponse, ListAuditEventsQuery } from './audit-events.dto';
import { type AuditFilter, AuditLogService } from './audit-log.service';

const PAGE = 500;

@ApiTags('Audit')
@Access('sysadmin', 'audit:read', { filtersTenants: true })
@Controller(`${sysadminPrefix}/audit-events`)
export class AuditEventsController {
  constructor(private readonly audit: AuditLogService) {}

  @Get()
  @ApiOperation({
    summary: 'List audit events',
    description:
      'Who changed what and from where, and which attempts were refused: newest first, in pages. `npx tenkey audit verify` checks that no event was edited, moved or removed. A key that is limited to some tenants sees only their events.',
  })
  @ApiOkResponse({ type: AuditEventPageResponse })
  async listAuditEvents(
    @Query() text: ListAuditEventsQuery,
    @SysadminGrant() grant: SysadminGrant,
  ): Promise<AuditEventPageResponse> {
    const query = validated(ListAuditEventsQuery, text);
    const limit = query.limit ?? 100;
    const events = await this.audit.list({ ...filterOf(query, grant), limit: limit + 1 });
    const items = events.slice(0, limit).map((event) => AuditEventResponse.of(event));
    return {
      items,
      count: items.length,
      next_cursor: events.length > limit ? (items.at(-1)?.seq ?? null) : null,
    };
  }

  @Get('export')
  @Header('content-type', 'application/x-ndjson')
  @ApiOperation({
    summary: 'Export audit events',
    description: 'All events that match, newest first, one JSON object per line. `limit` does not apply.',
  })
  @ApiOkResponse({ content: { 'application/x-ndjson': { schema: { type: 'string' } } } })
  exportAuditEvents(
    @Query() text: ListAuditEventsQuery,
    @SysadminGrant() grant: SysadminGrant,
  ): StreamableFile {
    const filter = filterOf(validated(ListAuditEventsQuery, text), grant);
    return new StreamableFile(Readable.from(this.lines(filter), { objectMode: false }), {
      type: 'application/x-ndjson',
    });
  }

  private async *lines(filter: Omit<AuditFilter, 'limit'>): AsyncGenerator<string> {
    for (let before = filter.before; ;) {
      const events = await this.audit.list({ ...filter, before, limit: PAGE });
      if (events.length > 0)
        yield events.map((event) => `${JSON.stringify(AuditEventResponse.of(event))}\n`).join('');
      before = events.at(-1)?.seq;
      if (events.length < PAGE) return;
    }
  }
}

function filterOf(query: ListAuditEventsQuery, grant: SysadminGrant): Omit<AuditFilter, 'limit'> {
  return {
    within: grant.tenantIds ?? undefined,
    tenantId: query.tenant_id?.toLowerCase(),
    action: query.action,
    outcome: query.outcome,
    actor: query.actor,
    since: query.since === undefined ? undefined : new Date(query.since),
    until: query.until === undefined ? undefined : new Date(query.until),
    before: query.cursor,
  };
}
