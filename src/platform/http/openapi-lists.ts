import type { OpenAPIObject } from '@nestjs/swagger';
import { NEXT_CURSOR } from './page-response';

interface ListSchema {
  properties?: Record<string, unknown>;
  required?: string[];
}

/** Adds the cursor to lists that are always whole: consumers walk all lists in one way. The server sends null there. */
export function completeLists({ components }: OpenAPIObject): void {
  for (const schema of Object.values(components?.schemas ?? {}) as ListSchema[]) {
    if (schema.properties?.['items'] === undefined || schema.properties['nextCursor'] !== undefined) continue;
    schema.properties['nextCursor'] = NEXT_CURSOR;
    schema.required = [...(schema.required ?? []), 'nextCursor'];
  }
}
