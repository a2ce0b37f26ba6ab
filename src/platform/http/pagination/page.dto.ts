import { ApiExtraModels, ApiOkResponse, type ApiResponseSchemaHost, getSchemaPath } from '@nestjs/swagger';
import { applyDecorators, type Type } from '@nestjs/common';
import { IntegerParam } from '../validation/query-params';
import { TextField } from '../validation/fields';

/** The parameters of every list. The DTO of a list extends it with filters and `sort`. */
export class PageQueryDto {
  @IntegerParam({ min: 1, max: 100, default: 20, description: 'Maximum number of items per page.', example: 20 })
  limit: number = 20;

  @TextField({
    max: 2_000,
    trim: false,
    optional: true,
    description: '`nextCursor` of the previous page. Send it with the same filters and the same sort.',
  })
  cursor?: string;
}

/** The schema of `nextCursor`. */
export const NEXT_CURSOR = {
  type: ['string', 'null'] as unknown as string,
  description: 'Value of `cursor` for the next page; null on the last page.',
};

/** Returns the schema of a page of `item`. */
export function buildPageSchema(item: Type): ApiResponseSchemaHost['schema'] {
  return {
    type: 'object',
    required: ['items', 'nextCursor'],
    properties: {
      items: { type: 'array', items: { $ref: getSchemaPath(item) } },
      nextCursor: NEXT_CURSOR,
    },
  };
}

/** Documents a 200 response as a page of `item`. */
export function ApiPage(item: Type): MethodDecorator {
  return applyDecorators(
    ApiExtraModels(item),
    ApiOkResponse({ description: 'One page of the list.', schema: buildPageSchema(item) }),
  );
}

/** One page of a list. `nextCursor` is null on the last page. */
export interface Page<T> {
  readonly items: T[];
  readonly nextCursor: string | null;
}
