import type { OpenAPIObject } from '@nestjs/swagger';
import fastJsonStringify, { type Schema } from 'fast-json-stringify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { serializedJson } from '../../cache/shared-cache-store';

type Serialize = (body: unknown) => string;

/**
 * Serializes lists by code compiled from the OpenAPI document: JSON of twenty rows costs more than reading them. The
 * code of a route is compiled at its first response. Fields that the DTO does not declare are not sent. Single
 * resources are too small to gain; those from the cache are sent as the cached JSON.
 * @param documentOf called once, at the first list
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
      const json = serializedJson(body);
      if (json !== undefined) void reply.serializer(() => json);
    }
    done(null, body);
  });
}

function isObject(body: unknown): body is object {
  return typeof body === 'object' && body !== null;
}

/** Returns whether the body is a list, paged or complete. A complete one gets a null cursor. */
function isPage(body: unknown): body is object {
  return isObject(body) && 'items' in body;
}

/** Returns null for a route that is not in the document. */
function compile({ paths, components }: OpenAPIObject, { routeOptions }: FastifyRequest): Serialize | null {
  const path = (routeOptions.url ?? '').replace(/:(\w+)/g, '{$1}');
  const answer = paths[path]?.get?.responses['200'];
  const schema = answer && 'content' in answer ? answer.content?.['application/json']?.schema : undefined;
  return schema ? fastJsonStringify({ ...schema, components } as unknown as Schema) : null;
}
