import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource } from 'typeorm';
import { UsageRecord } from '../usage-record.entity';
import { fieldsOf, usageCounters, type UsageField, type UsageGroup } from './call-fields';
import { type UsageSumsResponse } from './usage.dto';

/**
 * The SQL expression by which a field is ordered, and its type. It is never null, so that positions can be compared. Fields
 * that are not listed are ordered by their text.
 */
const orders: Readonly<Partial<Record<UsageField, readonly [expression: string, type: string]>>> = {
  // The column, not the text that is selected.
  day: ['usage_daily.day', 'date'],
  tenant_id: ['tenant_id', 'uuid'],
  key_id: [`coalesce(key_id, '')`, 'text'],
  version: ['coalesce(version, 0)', 'bigint'],
};

/**
 * A position in a report: after the group with these values. A number of rows would not do, because calls that are recorded
 * between two pages may add groups before it, and a row that is on both pages would be counted twice.
 */
export type ReportPosition = readonly string[];

/** Selects calls. Days are in UTC. */
export interface UsageFilter {
  /** The tenants that the key may see, whatever the other filters are; undefined for all. */
  readonly within?: readonly string[];
  readonly tenantId?: string;
  /** The models that the key may call, whatever the other filters are; undefined for all. */
  readonly models?: readonly string[];
  readonly provider?: string;
  readonly model?: string;
  /** First day, such as 2026-01-01. */
  readonly since: string;
  /** Last day. */
  readonly until: string;
}

export interface RecordFilter extends Pick<UsageFilter, 'within' | 'tenantId'> {
  readonly since?: Date;
  readonly until?: Date;
  readonly tenantKeyId?: string;
  readonly requestId?: string;
  /** Only records after this one in the list, which has the newest first. */
  readonly before?: { readonly at: Date; readonly requestId: string };
  readonly limit: number;
}

/** Reads usage records and their sums. */
@Injectable()
export class UsageReportService {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** The sums by group, in the order of the groups. */
  async sums(
    filter: UsageFilter,
    groups: readonly UsageGroup[],
    page: { readonly limit: number; readonly after?: ReportPosition },
  ): Promise<UsageSumsResponse[]> {
    const fields = fieldsOf(groups);
    const columns = fields.map((name) => {
      if (name === 'day') return `to_char(day, 'YYYY-MM-DD') as day`;
      return name === 'version' ? 'version::text as version' : name;
    });
    const counters = usageCounters.map((name) => `coalesce(sum(${name}), 0)::float8 as ${name}`);
    const { conditions, parameters } = conditionsOf(filter);
    const { models, provider, model } = filter;
    if (models !== undefined) conditions.push(`model = any($${parameters.push(models)})`);
    if (provider !== undefined) conditions.push(`provider = $${parameters.push(provider)}`);
    if (model !== undefined) conditions.push(`model = $${parameters.push(model)}`);
    const order = fields.map((name) => orders[name]?.[0] ?? name).join(', ');
    if (page.after !== undefined && fields.length > 0) {
      const position = page.after.map(
        (value, at) => `$${parameters.push(value)}::${orders[fields[at]!]?.[1] ?? 'text'}`,
      );
      conditions.push(`(${order}) > (${position.join(', ')})`);
    }
    return this.dataSource.query<UsageSumsResponse[]>(
      `select ${[...columns, ...counters].join(', ')} from usage_daily
       where ${conditions.join(' and ')}
       ${fields.length > 0 ? `group by ${fields.join(', ')} order by ${order}` : ''}
       limit $${parameters.push(page.limit)}`,
      parameters,
    );
  }

  /** The number of calls without a record, which are missing in the sums. */
  async lostCalls(filter: UsageFilter): Promise<number> {
    const { conditions, parameters } = conditionsOf(filter);
    const [row] = await this.dataSource.query<{ calls: number }[]>(
      `select coalesce(sum(calls), 0)::float8 as calls from usage_lost where ${conditions.join(' and ')}`,
      parameters,
    );
    return row?.calls ?? 0;
  }

  /** Lists records, newest first. */
  async records(filter: RecordFilter): Promise<UsageRecord[]> {
    const query = this.dataSource
      .createQueryBuilder(UsageRecord, 'r')
      .orderBy('r.at', 'DESC')
      .addOrderBy('r.request_id', 'DESC')
      .limit(filter.limit);
    const { within, tenantId, tenantKeyId, requestId, since, until, before } = filter;
    if (within !== undefined) query.andWhere('r.tenant_id = any(:within)', { within });
    if (tenantId !== undefined) query.andWhere('r.tenant_id = :tenantId', { tenantId });
    if (tenantKeyId !== undefined) query.andWhere('r.key_id = :tenantKeyId', { tenantKeyId });
    if (requestId !== undefined) query.andWhere('r.request_id = :only', { only: requestId });
    if (since !== undefined) query.andWhere('r.at >= :since', { since });
    if (until !== undefined) query.andWhere('r.at < :until', { until });
    if (before !== undefined) query.andWhere('(r.at, r.request_id) < (:at, :requestId)', before);
    return query.getMany();
  }

  async record(requestId: string): Promise<UsageRecord | null> {
    return this.dataSource.getRepository(UsageRecord).findOneBy({ requestId });
  }
}

function conditionsOf({ within, tenantId, since, until }: UsageFilter) {
  const parameters: unknown[] = [since, until];
  const conditions = ['day between $1::date and $2::date'];
  if (within !== undefined) conditions.push(`tenant_id = any($${parameters.push(within)}::uuid[])`);
  if (tenantId !== undefined) conditions.push(`tenant_id = $${parameters.push(tenantId)}::uuid`);
  return { conditions, parameters };
}
