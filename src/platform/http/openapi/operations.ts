import { type OpenAPIObject } from '@nestjs/swagger';
import { NEXT_CURSOR } from '../pagination/page.dto';

/** An operation of the OpenAPI document. */
export type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** An HTTP method of an operation. */
export type Method = (typeof METHODS)[number];

/** Returns all operations of a document. */
export function listOperations({ paths }: OpenAPIObject): { path: string; method: Method; operation: Operation }[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => (item[method] ? [{ path, method, operation: item[method] }] : [])),
  );
}

/** Returns whether the response is a single resource with a version, and so has an ETag. */
export function hasVersion(document: OpenAPIObject, operation: Operation, status = '200'): boolean {
  const response = operation.responses[status];
  const schema = response && 'content' in response ? response.content?.['application/json']?.schema : undefined;
  const name = schema && '$ref' in schema ? schema.$ref.split('/').at(-1) : undefined;
  const resource = name === undefined ? undefined : document.components?.schemas?.[name];
  return resource !== undefined && 'properties' in resource && resource.properties?.['version'] !== undefined;
}

interface ListSchema {
  properties?: Record<string, unknown>;
  required?: string[];
}

/** Adds `nextCursor` to lists without pages, so that clients read all lists in the same way. The server sends null. */
export function completeLists({ components }: OpenAPIObject): void {
  for (const schema of Object.values(components?.schemas ?? {}) as ListSchema[]) {
    if (schema.properties?.['items'] === undefined || schema.properties['nextCursor'] !== undefined) continue;
    schema.properties['nextCursor'] = NEXT_CURSOR;
    schema.required = [...(schema.required ?? []), 'nextCursor'];
  }
}
