import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { IntegerParam, ListParam } from '../../platform/http/fields';
import { PageQueryDto } from '../../platform/http/page-query.dto';
import { GENERATION_STATUSES, type GenerationStatus } from '../generation-status';
import { GENERATION_TYPES, type GenerationType } from '../generation-values';

/** Filters of the list of generations. */
export class ListGenerationsDto extends PageQueryDto {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, description: 'Only those for this job.', example: 42 })
  @IntegerParam(1, Number.MAX_SAFE_INTEGER)
  jobId?: number;

  @ApiPropertyOptional({
    enum: GENERATION_TYPES,
    isArray: true,
    description: 'Only those of these types; repeat it or use commas.',
    example: ['message'],
  })
  @ListParam()
  @IsIn(GENERATION_TYPES, { each: true })
  type?: GenerationType[];

  @ApiPropertyOptional({
    enum: GENERATION_STATUSES,
    isArray: true,
    description: 'Only those in these statuses; repeat it or use commas.',
    example: ['failed'],
  })
  @ListParam()
  @IsIn(GENERATION_STATUSES, { each: true })
  status?: GenerationStatus[];
}
