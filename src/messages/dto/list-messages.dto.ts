import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { BooleanParam, IntegerParam, OptionalField } from '../../platform/http/fields';
import { PageQueryDto } from '../../platform/http/page-query.dto';

/** The orders a list of messages comes in. */
export const MESSAGE_SORTS = ['-createdAt', 'createdAt'] as const;

/** Filters and sort of the list of messages. */
export class ListMessagesDto extends PageQueryDto {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, description: 'Only those about this job.', example: 42 })
  @IntegerParam(1, Number.MAX_SAFE_INTEGER)
  jobId?: number;

  @ApiPropertyOptional({
    type: Boolean,
    description: 'Only those that are read, or only those that are not.',
    example: false,
  })
  @BooleanParam()
  isRead?: boolean;

  @ApiPropertyOptional({
    enum: MESSAGE_SORTS,
    default: '-createdAt',
    description: 'The order; a minus means latest first.',
    example: '-createdAt',
  })
  @OptionalField()
  @IsIn(MESSAGE_SORTS)
  sort: (typeof MESSAGE_SORTS)[number] = '-createdAt';
}
