import { pathWith, type Operation, type Parameter, type Schema } from '../../support/operations';
import { encoded, headerText, ODD_VALUES, textOf } from './odd-values';
import type { Input } from './send';
import type { Identity, World } from './world';

/** What an operation takes, one field each. */
type Target =
  | { readonly in: 'path' | 'query' | 'header'; readonly parameter: Parameter }
  | { readonly in: 'body'; readonly field: string };

/** One field of one operation with one value. */
export interface FieldCase {
  readonly operation: Operation;
  readonly target: Target;
  readonly value: unknown;
}

/** Every field, parameter and header of an operation with every odd value. */
export function fieldCases(operation: Operation): FieldCase[] {
  return targetsOf(operation).flatMap((target) => ODD_VALUES.map((value) => ({ operation, target, value })));
}

/** The request of a case; everything but the one value is as it should be. */
export function inputOf({ operation, target, value }: FieldCase, world: World, identity: Identity): Input {
  const { method } = operation;
  const token = world.tokenOf(identity);
  const name = target.in === 'body' ? target.field : target.parameter.name;
  const own = Object.fromEntries(
    operation.parameters
      .filter((parameter) => parameter.in === 'path')
      .map((parameter) => [parameter.name, world.idsOf(operation, parameter.name, identity).own[0] ?? '1']),
  );
  const path = pathWith(operation, target.in === 'path' ? { ...own, [name]: encoded(textOf(value)) } : own);
  const body =
    operation.body && bodyWith(operation.body, world, identity, target.in === 'body' ? { name, value } : undefined);
  return {
    kind: `${target.in} ${name}`,
    method,
    path: target.in === 'query' ? `${path}?${queryOf(name, value)}` : path,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(target.in === 'header' && { [name]: headerText(textOf(value)) }),
    },
    ...(body !== undefined && { body }),
  };
}

/** JSON as it is written by hand: JSON.stringify has no -0. */
export function jsonOf(value: unknown): string {
  const minusZero = '\u2212zero';
  const text = JSON.stringify(value, (_, inner: unknown) => (Object.is(inner, -0) ? minusZero : inner));
  return text.replaceAll(`"${minusZero}"`, '-0');
}

/** The fields of a body, or of one row of a body of rows. */
export function fieldsOf(body: Schema | undefined): readonly string[] {
  return Object.keys((body?.type === 'array' ? body.items : body)?.properties ?? {});
}

function targetsOf(operation: Operation): Target[] {
  return [
    ...operation.parameters.map((parameter) => ({ in: parameter.in, parameter })),
    ...fieldsOf(operation.body).map((field) => ({ in: 'body' as const, field })),
  ];
}

function bodyWith(
  schema: Schema,
  world: World,
  identity: Identity,
  odd: { name: string; value: unknown } | undefined,
): string {
  const isRows = schema.type === 'array';
  const example = world.bodyOf(isRows ? schema.items : schema, identity);
  const body = odd ? { ...example, [odd.name]: odd.value } : example;
  return jsonOf(isRows ? [body] : body);
}

function queryOf(name: string, value: unknown): string {
  if (Array.isArray(value) && value.length > 0)
    return value
      .slice(0, 50)
      .map((item) => `${name}=${encoded(textOf(item))}`)
      .join('&');
  return `${name}=${encoded(textOf(value))}`;
}
