import { Readable } from 'node:stream';
import { Injectable, StreamableFile } from '@nestjs/common';
import { type FastifyReply } from 'fastify';
import { encodeCursor, positionOfRow } from './report-cursor';
import { fieldsOf, usageCounters } from './call-fields';
import { csvLine } from '#http';
import { type ReportParameters } from './report-parameters';
import { lostCallsHeader, type UsageReportResponse, type UsageSumsResponse } from './usage.dto';
import { type UsageFilter, UsageReportService } from './usage-report.service';

const CSV_PAGE = 5000;

/** Responds with a report, as a page of JSON or whole as CSV (RFC 4180). */
@Injectable()
export class UsageResponsesService {
  constructor(private readonly report: UsageReportService) {}

  /** @param reply gets the header of the lost calls if the report is CSV */
  async of(
    parameters: ReportParameters,
    calls: Omit<UsageFilter, 'since' | 'until'>,
    reply: FastifyReply,
  ): Promise<UsageReportResponse | StreamableFile> {
    const { since, until, groups, limit, after } = parameters;
    const filter = { ...calls, since, until };
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
      items: page,
      count: page.length,
      total: totals[0] ?? zeros,
      lost_calls: lost,
      next_cursor:
        items.length > limit && last
          ? encodeCursor([since, until, ...positionOfRow(last, fieldsOf(groups))])
          : null,
    };
  }

  private async *csv(
    filter: UsageFilter,
    { groups }: ReportParameters,
    first: readonly UsageSumsResponse[],
  ): AsyncGenerator<string> {
    const fields = fieldsOf(groups);
    const names = [...fields, ...usageCounters];
    yield csvLine(names);
    for (let rows = first; ;) {
      if (rows.length > 0) yield rows.map((row) => csvLine(names.map((name) => row[name]))).join('');
      const last = rows.at(-1);
      if (last === undefined || rows.length < CSV_PAGE) return;
      rows = await this.report.sums(filter, groups, { limit: CSV_PAGE, after: positionOfRow(last, fields) });
    }
  }
}
