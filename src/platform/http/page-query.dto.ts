import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsString } from 'class-validator';
import { TextLength } from './text-length';
import { IntegerParam, OptionalField } from './fields';

/** The parameters every list has. A list's own DTO extends it with its filters and its `sort`. */
export class PageQueryDto {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 100,
    default: 20,
    description: 'How many items a page has at most.',
    example: 20,
  })
  @IntegerParam(1, 100)
  limit: number = 20;

  @ApiPropertyOptional({
    type: String,
    description: '`nextCursor` of the page before; only with the same filters and the same sort.',
  })
  @OptionalField()
  @IsString()
  @TextLength(1, 2_000)
  cursor?: string;
}
