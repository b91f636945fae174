import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, Max, Min } from 'class-validator';
import { IsTime } from '#http';
import { durationBounds } from '../records/durations';
import { filterBy, tenantNameDescription } from './call-fields';

export const seriesIntervals = ['hour', 'day'] as const;
export type SeriesInterval = (typeof seriesIntervals)[number];

export const seriesGroups = ['provider', 'tenant', 'model', 'none'] as const;
export type SeriesGroup = (typeof seriesGroups)[number];

export class UsageSeriesQuery {
  @ApiPropertyOptional({
    example: '2026-01-30T12:00:00Z',
    description:
      'The first hour or day is the one with this time. The default is 24 hours, or with `interval=day` 30 days, before `until`.',
  })
  @IsOptional()
  @IsTime('day or time')
  since?: string;

  @ApiPropertyOptional({
    example: '2026-01-31T12:00:00Z',
    description:
      'The last hour or day is the one that ends at or after this time. The default is the current one.',
  })
  @IsOptional()
  @IsTime('day or time')
  until?: string;

  @ApiPropertyOptional({
    enum: seriesIntervals,
    enumName: 'SeriesInterval',
    default: 'hour',
    description:
      'hour: at most 14 days, of the last 14. day: at most 366 days, as far back as there are calls, without durations. Both in UTC.',
  })
  @IsOptional()
  @IsIn(seriesIntervals)
  interval?: SeriesInterval;

  @ApiPropertyOptional({
    enum: seriesGroups,
    enumName: 'SeriesGroup',
    default: 'provider',
    description: 'What has a series of its own. none: one series of all calls.',
  })
  @IsOptional()
  @IsIn(seriesGroups)
  by?: SeriesGroup;

  @filterBy.tenant
  tenant_id?: string;

  @filterBy.provider
  provider?: string;

  @filterBy.model
  model?: string;

  @ApiPropertyOptional({
    default: 8,
    minimum: 1,
    maximum: 20,
    description:
      'How many series there are at most: those with the most calls. One more series is the sum of the rest.',
  })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(20)
  top?: number;
}

/** A list with a number for each time. */
function Counts(example: readonly number[], description?: string): PropertyDecorator {
  return ApiProperty({ type: [Number], example, ...(description !== undefined && { description }) });
}

/** A list with a number of milliseconds, or null, for each time. */
function Durations(example: readonly (number | null)[], description: string): PropertyDecorator {
  return ApiProperty({
    type: 'array',
    items: { type: ['integer', 'null'] as unknown as string },
    example,
    description,
  });
}

/** The fields of the group, and a column for each number. */
export class UsageSeriesResponse {
  @ApiPropertyOptional({
    format: 'uuid',
    nullable: true,
    type: String,
    description: 'With `by=tenant`; null in the rest.',
  })
  tenant_id?: string | null;
  @ApiPropertyOptional({
    nullable: true,
    type: String,
    example: 'sundsvall',
    description: tenantNameDescription,
  })
  tenant_name?: string | null;
  @ApiPropertyOptional({
    nullable: true,
    type: String,
    example: 'openai',
    description: 'With `by=provider`; null in the rest.',
  })
  provider?: string | null;
  @ApiPropertyOptional({
    nullable: true,
    type: String,
    example: 'gpt-4o',
    description: 'With `by=model`; null in the rest.',
  })
  model?: string | null;
  @ApiProperty({
    example: false,
    description: 'Whether it is the sum of all that have no series of their own.',
  })
  is_rest: boolean;
  @Counts([12, 0], 'Calls that started in the hour or on the day.')
  calls: number[];
  @Counts([1, 0], 'Calls without a response.')
  failed: number[];
  @Counts([0, 0], 'Calls whose response broke off, or whose client disconnected before its end.')
  unfinished: number[];
  @Counts([5300, 0])
  input_tokens: number[];
  @Counts([900, 0])
  output_tokens: number[];
  @Durations(
    [1240, null],
    'How long completed calls took on average, from the start of the call to the end of its response. Null: there was none, or `interval=day`.',
  )
  mean_ms: (number | null)[];
  @Durations(
    [980, null],
    `The median of these durations, which were counted in buckets up to ${durationBounds.join(', ')} ms. It is in the same bucket as the exact one.`,
  )
  p50_ms: (number | null)[];
  @Durations(
    [2300, null],
    `The duration that 95 % of the completed calls did not exceed, as exact as the median. ${durationBounds.at(-1)} means that or more.`,
  )
  p95_ms: (number | null)[];
}

/** All series have the same times. */
export class UsageSeriesReportResponse {
  @ApiProperty({ format: 'date-time', example: '2026-01-31T10:00:00.000Z' })
  since: string;
  @ApiProperty({
    format: 'date-time',
    example: '2026-01-31T12:00:00.000Z',
    description: 'The end of the last hour or day.',
  })
  until: string;
  @ApiProperty({ enum: seriesIntervals, enumName: 'SeriesInterval' })
  interval: SeriesInterval;
  @ApiProperty({
    type: [String],
    example: ['2026-01-31T10:00:00.000Z', '2026-01-31T11:00:00.000Z'],
    description: 'The start of each hour or day. Each column of a series has a number for each of them.',
  })
  times: string[];
  @ApiProperty({
    type: [UsageSeriesResponse],
    description: 'Those with the most calls first, and the rest, if there is one, last.',
  })
  series: UsageSeriesResponse[];
  @ApiProperty({
    example: 0,
    description: 'How many providers, tenants or models are summed up in the rest. 0: there is no rest.',
  })
  rest_count: number;
  @ApiProperty({
    example: 0,
    description:
      'Calls, of any provider and model, that could not be recorded on the days of the range because the database was unavailable or refused them. They are missing in the series.',
  })
  lost_calls: number;
}
