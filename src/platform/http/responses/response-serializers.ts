import type { OpenAPIObject } from '@nestjs/swagger';
import fastJsonStringify, { type Schema } from 'fast-json-stringify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { serializedJson } from '../../cache/serialized-json';

type Serialize = (body: unknown) => string;

/**
 * Writes the JSON of lists by code compiled from the OpenAPI document, and so from the decorators of their DTOs: JSON of
 * twenty rows costs more than reading them. Each route's is compiled at its first answer; what its DTO does not declare
 * is not sent. Single resources are too small to gain; those the cache holds are sent as the JSON it holds.
 * @param documentOf called once, at the first list served
 * @see https://github.com/fastify/fast-json-stringify
 */
export function registerResponseSerializers(fastify: FastifyInstance, documentOf: () => OpenAPIObject): void {
  const serializers = new Map<string, Serialize | null>();
  fastify.addHook('preSerialization', (request, reply, answer, done) => {
    const body = isPage(answer) && !('nextCursor' in answer) ? { ...answer, nextCursor: null } : answer;
    if (request.method === 'GET' && reply.statusCode === 200 && isPage(body)) {
      const url = request.routeOptions.url ?? '';
      let serialize = serializers.get(url);
      if (serialize === undefined) serializers.set(url, (serialize = compile(documentOf(), request)));
      if (serialize) void reply.serializer(serialize);
    } else if (isObject(body)) {
      const noted = serializedJson(body);
      if (noted !== undefined) void reply.serializer(() => noted);
    }
    done(null, body);
  });
}

function isObject(body: unknown): body is object {
  return typeof body === 'object' && body !== null;
}

/** Also a list that is always whole: it gets the cursor that ends every list. */
function isPage(body: unknown): body is object {
  return isObject(body) && 'items' in body;
}

/** Null for a route that the document does not know. */
function compile({ paths, components }: OpenAPIObject, { routeOptions }: FastifyRequest): Serialize | null {
  const path = (routeOptions.url ?? '').replace(/:(\w+)/g, '{$1}');
  const answer = paths[path]?.get?.responses['200'];
  const schema = answer && 'content' in answer ? answer.content?.['application/json']?.schema : undefined;
  return schema ? fastJsonStringify({ ...schema, components } as unknown as Schema) : null;
}
