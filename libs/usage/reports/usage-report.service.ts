import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource } from 'typeorm';
import { UsageRecord } from '../usage-record.entity';

/** What sums may be grouped by, and the fields of each. */
const fieldsOfGroup = {
  day: ['day'],
  tenant: ['tenant_id'],
  provider: ['provider'],
  model: ['model'],
  operation: ['operation'],
  key: ['key_id'],
  source: ['source'],
  credential: ['provider', 'mask', 'version'],
} as const satisfies Record<string, readonly (keyof UsageSums)[]>;

export type UsageGroup = keyof typeof fieldsOfGroup;
export type UsageField = (typeof fieldsOfGroup)[UsageGroup][number];
export const usageGroups = Object.keys(fieldsOfGroup) as UsageGroup[];

/** The fields that tell groups apart, in their order. */
export function fieldsOf(groups: readonly UsageGroup[]): UsageField[] {
  return [...new Set(groups.flatMap((group): readonly UsageField[] => fieldsOfGroup[group]))];
}

/** What groups are in the order of, never null so that it can be compared, and its type; of others the text itself. */
const orders: Readonly<Partial<Record<UsageField, readonly [expression: string, type: string]>>> = {
  // The column, and not the text that is selected of it.
  day: ['usage_daily.day', 'date'],
  tenant_id: ['tenant_id', 'uuid'],
  key_id: [`coalesce(key_id, '')`, 'text'],
  version: ['coalesce(version, 0)', 'bigint'],
};

/**
 * A place in a report: after the group with these values. Not a number of rows, since calls that are recorded between two
 * pages may put groups before it, and a row that comes twice would be counted twice.
 */
export type ReportPosition = readonly string[];

/** Which calls. Days are UTC. */
export interface UsageFilter {
  /** Only calls of these tenants, whatever else is asked; absent: all. */
  readonly within?: readonly string[];
  readonly tenantId?: string;
  /** Only these models; absent: all. */
  readonly models?: readonly string[];
  /** First day, as 2026-01-01. */
  readonly since: string;
  /** Last day. */
  readonly until: string;
}

/** One group's sums; of what it is grouped by, only what was asked for is there. */
export interface UsageSums {
  readonly day?: string;
  readonly tenant_id?: string;
  readonly provider?: string;
  readonly model?: string;
  readonly operation?: string;
  readonly key_id?: string | null;
  readonly source?: string;
  readonly mask?: string;
  readonly version?: string | null;
  readonly calls: number;
  readonly failed: number;
  readonly unfinished: number;
  readonly unmetered: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cached_tokens: number;
  readonly request_bytes: number;
  readonly response_bytes: number;
}

export const usageCounters = [
  'calls',
  'failed',
  'unfinished',
  'unmetered',
  'input_tokens',
  'output_tokens',
  'cached_tokens',
  'request_bytes',
  'response_bytes',
] as const satisfies readonly (keyof UsageSums)[];

export interface RecordFilter extends Pick<UsageFilter, 'within' | 'tenantId'> {
  readonly since?: Date;
  readonly until?: Date;
  readonly tenantKeyId?: string;
  /** Only records before this one, in the list's order. */
  readonly before?: { readonly at: Date; readonly requestId: string };
  readonly limit: number;
}

/** Reads what was used. */
@Injectable()
export class UsageReportService {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** In the order of the groups, after a place. */
  async sums(
    filter: UsageFilter,
    groups: readonly UsageGroup[],
    page: { readonly limit: number; readonly after?: ReportPosition },
  ): Promise<UsageSums[]> {
    const fields = fieldsOf(groups);
    const columns = fields.map((name) => {
      if (name === 'day') return `to_char(day, 'YYYY-MM-DD') as day`;
      return name === 'version' ? 'version::text as version' : name;
    });
    const counters = usageCounters.map((name) => `coalesce(sum(${name}), 0)::float8 as ${name}`);
    const { conditions, parameters } = conditionsOf(filter);
    if (filter.models !== undefined) conditions.push(`model = any($${parameters.push(filter.models)})`);
    const order = fields.map((name) => orders[name]?.[0] ?? name).join(', ');
    if (page.after !== undefined && fields.length > 0) {
      const place = page.after.map(
        (value, at) => `$${parameters.push(value)}::${orders[fields[at]!]?.[1] ?? 'text'}`,
      );
      conditions.push(`(${order}) > (${place.join(', ')})`);
    }
    return this.dataSource.query<UsageSums[]>(
      `select ${[...columns, ...counters].join(', ')} from usage_daily
       where ${conditions.join(' and ')}
       ${fields.length > 0 ? `group by ${fields.join(', ')} order by ${order}` : ''}
       limit $${parameters.push(page.limit)}`,
      parameters,
    );
  }

  /** How many calls have no record, so that sums lack them. */
  async lostCalls(filter: UsageFilter): Promise<number> {
    const { conditions, parameters } = conditionsOf(filter);
    const [row] = await this.dataSource.query<{ calls: number }[]>(
      `select coalesce(sum(calls), 0)::float8 as calls from usage_lost where ${conditions.join(' and ')}`,
      parameters,
    );
    return row?.calls ?? 0;
  }

  /** Newest first. */
  async records(filter: RecordFilter): Promise<UsageRecord[]> {
    const query = this.dataSource
      .createQueryBuilder(UsageRecord, 'r')
      .orderBy('r.at', 'DESC')
      .addOrderBy('r.request_id', 'DESC')
      .limit(filter.limit);
    const { within, tenantId, tenantKeyId, since, until, before } = filter;
    if (within !== undefined) query.andWhere('r.tenant_id = any(:within)', { within });
    if (tenantId !== undefined) query.andWhere('r.tenant_id = :tenantId', { tenantId });
    if (tenantKeyId !== undefined) query.andWhere('r.key_id = :tenantKeyId', { tenantKeyId });
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
