import { ApiExtraModels, ApiOkResponse, ApiPropertyOptional, getSchemaPath } from '@nestjs/swagger';
import { IsString } from 'class-validator';
import { TextLength } from '../validation/text';
import { IntegerParam, OptionalField } from '../validation/fields';
import { applyDecorators, type Type } from '@nestjs/common';

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

/** The field that ends every list. */
export const NEXT_CURSOR = {
  type: ['string', 'null'] as unknown as string,
  description: 'Give it as `cursor` for the next page; null at the end.',
};

/** Describes a 200 answer as a page of `item` in the OpenAPI document. */
export function ApiPage(item: Type): MethodDecorator {
  return applyDecorators(
    ApiExtraModels(item),
    ApiOkResponse({
      description: 'One page.',
      schema: {
        type: 'object',
        required: ['items', 'nextCursor'],
        properties: {
          items: { type: 'array', items: { $ref: getSchemaPath(item) } },
          nextCursor: NEXT_CURSOR,
        },
      },
    }),
  );
}

/** One page of a list; `nextCursor` is null at its end. */
export interface Page<T> {
  readonly items: T[];
  readonly nextCursor: string | null;
}
