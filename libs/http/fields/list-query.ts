import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, Max, Min } from 'class-validator';
import { IsTime } from './body-fields';

/** How much of a list a page has. */
export class ListQuery {
  @ApiPropertyOptional({ default: 100, minimum: 1, maximum: 1000 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(1000)
  limit?: number;
}

/** Of a list of what happened. */
export class EventListQuery extends ListQuery {
  @ApiPropertyOptional({ format: 'date-time', description: 'Only what happened from then on.' })
  @IsOptional()
  @IsTime()
  since?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'Only what happened before then.' })
  @IsOptional()
  @IsTime()
  until?: string;
}
