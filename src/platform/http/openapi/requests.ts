import type { OpenAPIObject } from '@nestjs/swagger';
import { listOperations, type Method, type Operation } from './operations';

/** A JSON schema as Nest writes it. */
interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  minimum?: number;
  description?: string;
  example?: unknown;
  examples?: unknown[];
  required?: string[];
  properties?: Record<string, Schema>;
  items?: Schema;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  schema?: Schema;
}

type Content = Record<string, { schema?: Schema; example?: unknown }>;

/** Names of fields and parameters with the id of a row. */
const ID = /^(id|\w+Ids?)$/;

/** Examples of text bodies by media type. */
const TEXT_BODIES: Readonly<Record<string, string>> = {
  'text/csv': 'title,skills\nSpeed up slow PostgreSQL queries,"PostgreSQL, SQL"\n',
  'application/x-ndjson': '{"title":"Speed up slow PostgreSQL queries","skills":["PostgreSQL"]}\n',
};

/**
 * Completes the requests of the document: ids as 64-bit integers from 1, the media type of merge patches, files as
 * text. Examples work for a new account: optional filters and ids of rows have none, since Swagger UI sends every
 * `example`.
 */
export function describeRequests(document: OpenAPIObject): void {
  const schemas = (document.components?.schemas ?? {}) as Record<string, Schema>;
  for (const schema of Object.values(schemas)) describeIds(schema);
  for (const { method, operation } of listOperations(document)) {
    for (const parameter of (operation.parameters ?? []) as Parameter[]) describeParameter(parameter);
    describeBody(method, operation, schemas);
  }
}

function describeIds({ properties = {} }: Schema): void {
  for (const [name, property] of Object.entries(properties)) {
    const schema = property.items ?? property;
    if (ID.test(name) && [schema.type].flat().includes('integer'))
      Object.assign(schema, { format: 'int64', minimum: 1 });
  }
}

function describeParameter(parameter: Parameter): void {
  const { schema, name } = parameter;
  if (!schema) return;
  const isNumber = schema.type === 'number' || schema.type === 'integer';
  const isRowId = isNumber && (parameter.in === 'path' || ID.test(name));
  if (isRowId) Object.assign(schema, { type: 'integer', format: 'int64', minimum: 1 });
  if (schema.example === undefined || (parameter.required && !isRowId)) return;
  schema.examples = [schema.example];
  delete schema.example;
}

function describeBody(method: Method, operation: Operation, schemas: Readonly<Record<string, Schema>>): void {
  const { requestBody } = operation;
  if (!requestBody || '$ref' in requestBody) return;
  const content = requestBody.content as Content;
  for (const [type, example] of Object.entries(TEXT_BODIES)) {
    if (content[type]) content[type] = { schema: { type: 'string' }, example };
  }
  const json = content['application/json'];
  if (!json) return;
  const { $ref, items } = json.schema ?? {};
  const schema = schemas[($ref ?? items?.$ref)?.split('/').at(-1) ?? ''];
  if (schema) json.example = items ? [buildExample(schema)] : buildExample(schema);
  if (method === 'patch') content['application/merge-patch+json'] = { ...json };
}

/** Returns a body from the examples of the fields, without optional ids of rows. */
function buildExample({ properties = {}, required = [] }: Schema): Record<string, unknown> {
  const fields = Object.entries(properties).filter(
    ([name, { example }]) => example !== undefined && (required.includes(name) || !ID.test(name)),
  );
  return Object.fromEntries(fields.map(([name, { example }]) => [name, example]));
}
