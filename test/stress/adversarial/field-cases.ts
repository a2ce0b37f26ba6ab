import { fillPath, type Operation, type Parameter, type Schema } from '../../support/openapi-operations';
import { encode, encodeHeader, HOSTILE_VALUES, toText } from './hostile-values';
import type { Input } from './sender';
import type { Identity, Fixtures } from './fixtures';

/** The fields, parameters and headers of an operation. */
type Target =
  | { readonly in: 'path' | 'query' | 'header'; readonly parameter: Parameter }
  | { readonly in: 'body'; readonly field: string };

/** One field of one operation with one value. */
export interface FieldCase {
  readonly operation: Operation;
  readonly target: Target;
  readonly value: unknown;
}

/** Lists every field, parameter and header of an operation with every hostile value. */
export function listFieldCases(operation: Operation): FieldCase[] {
  return listTargets(operation).flatMap((target) => HOSTILE_VALUES.map((value) => ({ operation, target, value })));
}

/** Builds the request of a case; everything but the one value is valid. */
export function buildInput({ operation, target, value }: FieldCase, fixtures: Fixtures, identity: Identity): Input {
  const { method } = operation;
  const token = fixtures.getToken(identity);
  const name = target.in === 'body' ? target.field : target.parameter.name;
  const own = Object.fromEntries(
    operation.parameters
      .filter((parameter) => parameter.in === 'path')
      .map((parameter) => [parameter.name, fixtures.getIds(operation, parameter.name, identity).own[0] ?? '1']),
  );
  const path = fillPath(operation, target.in === 'path' ? { ...own, [name]: encode(toText(value)) } : own);
  const body =
    operation.body && buildBody(operation.body, fixtures, identity, target.in === 'body' ? { name, value } : undefined);
  return {
    kind: `${target.in} ${name}`,
    method,
    path: target.in === 'query' ? `${path}?${buildQuery(name, value)}` : path,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(target.in === 'header' && { [name]: encodeHeader(toText(value)) }),
    },
    ...(body !== undefined && { body }),
  };
}

/** Writes JSON with -0, which JSON.stringify lacks. */
export function toJson(value: unknown): string {
  const minusZero = '\u2212zero';
  const text = JSON.stringify(value, (_, inner: unknown) => (Object.is(inner, -0) ? minusZero : inner));
  return text.replaceAll(`"${minusZero}"`, '-0');
}

/** Returns the fields of a body, or of one row of a body of rows. */
export function listFields(body: Schema | undefined): readonly string[] {
  return Object.keys((body?.type === 'array' ? body.items : body)?.properties ?? {});
}

function listTargets(operation: Operation): Target[] {
  return [
    ...operation.parameters.map((parameter) => ({ in: parameter.in, parameter })),
    ...listFields(operation.body).map((field) => ({ in: 'body' as const, field })),
  ];
}

function buildBody(
  schema: Schema,
  fixtures: Fixtures,
  identity: Identity,
  odd: { name: string; value: unknown } | undefined,
): string {
  const isRows = schema.type === 'array';
  const example = fixtures.buildBody(isRows ? schema.items : schema, identity);
  const body = odd ? { ...example, [odd.name]: odd.value } : example;
  return toJson(isRows ? [body] : body);
}

function buildQuery(name: string, value: unknown): string {
  if (Array.isArray(value) && value.length > 0)
    return value
      .slice(0, 50)
      .map((item) => `${name}=${encode(toText(item))}`)
      .join('&');
  return `${name}=${encode(toText(value))}`;
}
