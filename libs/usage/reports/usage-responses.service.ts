import { Readable } from 'node:stream';
import { Injectable, StreamableFile } from '@nestjs/common';
import { type FastifyReply } from 'fastify';
import { csvLine } from '#http';
import { TenantsService } from '#tenants';
import { encodeCursor, positionOfRow } from './report-cursor';
import { fieldsOf, usageCounters, type UsageGroup } from './call-fields';
import { type ReportParameters } from './report-parameters';
import { UsageRecordResponse } from './usage-records.dto';
import { type UsageRecord } from '../usage-record.entity';
import { lostCallsHeader, type UsageReportResponse, type UsageSumsResponse } from './usage.dto';
import { type UsageFilter, UsageReportService } from './usage-report.service';

const CSV_PAGE = 5000;

/** Responds with a report, as a page of JSON or whole as CSV (RFC 4180). */
@Injectable()
export class UsageResponsesService {
  constructor(
    private readonly report: UsageReportService,
    private readonly tenants: TenantsService,
  ) {}

  /** @param reply gets the header of the lost calls if the report is CSV */
  async of(
    parameters: ReportParameters,
    calls: Pick<UsageFilter, 'within' | 'tenantId' | 'models'>,
    reply: FastifyReply,
  ): Promise<UsageReportResponse | StreamableFile> {
    const { since, until, groups, provider, model, limit, after } = parameters;
    const filter = { ...calls, since, until, provider, model };
    if (parameters.isCsv) {
      // The first rows are read before the head is sent, so that an error can have a status.
      const [first, lostCalls] = await Promise.all([
        this.report.sums(filter, groups, { limit: CSV_PAGE }),
        this.report.lostCalls(filter),
      ]);
      reply.header(lostCallsHeader, String(lostCalls));
      return new StreamableFile(Readable.from(this.csv(filter, parameters, first), { objectMode: false }), {
        type: 'text/csv; charset=utf-8',
        disposition: `attachment; filename="usage-${since}-${until}.csv"`,
      });
    }
    const [items, totals, lost] = await Promise.all([
      this.report.sums(filter, groups, { limit: limit + 1, after }),
      this.report.sums(filter, [], { limit: 1 }),
      this.report.lostCalls(filter),
    ]);
    const page = items.slice(0, limit);
    const last = page.at(-1);
    const zeros = Object.fromEntries(usageCounters.map((name) => [name, 0])) as unknown as UsageSumsResponse;
    return {
      since,
      until,
      items: await this.named(page, groups),
      count: page.length,
      total: totals[0] ?? zeros,
      lost_calls: lost,
      next_cursor:
        items.length > limit && last
          ? encodeCursor([since, until, ...positionOfRow(last, fieldsOf(groups))])
          : null,
    };
  }

  /** The records with the names of their tenants. */
  async records(records: readonly UsageRecord[]): Promise<UsageRecordResponse[]> {
    const names = await this.tenants.names([...new Set(records.map(({ tenantId }) => tenantId))]);
    return records.map((record) => UsageRecordResponse.of(record, names.get(record.tenantId)));
  }

  private async *csv(
    filter: UsageFilter,
    { groups }: ReportParameters,
    first: readonly UsageSumsResponse[],
  ): AsyncGenerator<string> {
    const fields = fieldsOf(groups);
    const shown = fields.flatMap((field) =>
      field === 'tenant_id' ? ([field, 'tenant_name'] as const) : [field],
    );
    const names = [...shown, ...usageCounters];
    yield csvLine(names);
    for (let rows = first; ;) {
      const lines = (await this.named(rows, groups)).map((row) => csvLine(names.map((name) => row[name])));
      if (lines.length > 0) yield lines.join('');
      const last = rows.at(-1);
      if (last === undefined || rows.length < CSV_PAGE) return;
      rows = await this.report.sums(filter, groups, { limit: CSV_PAGE, after: positionOfRow(last, fields) });
    }
  }

  /** Adds the names of tenants, next to their ids. */
  private async named(
    rows: readonly UsageSumsResponse[],
    groups: readonly UsageGroup[],
  ): Promise<readonly UsageSumsResponse[]> {
    if (!groups.includes('tenant')) return rows;
    const names = await this.tenants.names([...new Set(rows.map(({ tenant_id: id = '' }) => id))]);
    return rows.map((row) => {
      const fields = Object.entries(row).flatMap(([name, value]: [string, unknown]) => {
        if (name !== 'tenant_id') return [[name, value]];
        return [
          [name, value],
          ['tenant_name', names.get(String(value)) ?? null],
        ];
      });
      return Object.fromEntries(fields) as UsageSumsResponse;
    });
  }
}
