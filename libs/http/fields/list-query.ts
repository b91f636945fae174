import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, Max, Min } from 'class-validator';
import { IsTime } from './time-fields';

/** The query of a list: how much of it a page has. */
export class ListQuery {
  @ApiPropertyOptional({
    type: 'integer',
    default: 100,
    minimum: 1,
    maximum: 1000,
    description: 'How many items a page has at most.',
  })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(1000)
  limit?: number;
}

/** The query of a list of events. */
export class EventListQuery extends ListQuery {
  @ApiPropertyOptional({
    example: '2026-01-31T12:00:00Z',
    description: 'Only events from this day or time on.',
  })
  @IsOptional()
  @IsTime('day or time')
  since?: string;

  @ApiPropertyOptional({ example: '2026-02-28', description: 'Only events before this day or time.' })
  @IsOptional()
  @IsTime('day or time')
  until?: string;
}

/** What each page of a list says besides its items. */
export class PageResponse {
  @ApiProperty({ example: 1, description: 'Items on this page.' })
  count: number;
  @ApiProperty({ nullable: true, type: String, example: null, description: 'Null on the last page.' })
  next_cursor: string | null;
}
