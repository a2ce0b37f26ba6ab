import { applyDecorators, type Type } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, getSchemaPath } from '@nestjs/swagger';

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
