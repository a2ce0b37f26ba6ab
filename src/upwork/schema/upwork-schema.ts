import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildSchema,
  getNamedType,
  graphqlSync,
  isIntrospectionType,
  isScalarType,
  parse,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type GraphQLSchema,
} from 'graphql';
import { z } from 'zod';
import { defineDocument } from '../documents/upwork-document';

let sharedSchema: GraphQLSchema | undefined;

/** Returns the part of Upwork's schema that this API uses. */
function getSchema(): GraphQLSchema {
  return (sharedSchema ??= buildSchema(readFileSync(join(__dirname, 'schema.graphql'), 'utf8')));
}

/**
 * Parts of a schema: the type of each by its coordinate, such as `Room.topic`, `Query.roomList(filter:)`,
 * `ContractType.HOURLY` or `Room`. Types and enum words have an empty type.
 * @see https://spec.graphql.org/draft/#sec-Schema-Coordinates
 */
export type SchemaParts = ReadonlyMap<string, string>;

interface TypeReference {
  readonly name?: string | null;
  readonly kind: string;
  readonly ofType?: TypeReference | null;
}

const typeReference: z.ZodType<TypeReference> = z.lazy(() =>
  z.object({ name: z.string().nullish(), kind: z.string(), ofType: typeReference.nullish() }),
);
const typed = z.object({ name: z.string(), type: typeReference });
const introspectedType = z.object({
  name: z.string(),
  fields: z.array(typed.extend({ args: z.array(typed) })).nullish(),
  inputFields: z.array(typed).nullish(),
  enumValues: z.array(z.object({ name: z.string() })).nullish(),
});

type IntrospectedType = z.output<typeof introspectedType>;

/** A type in a list in a list has more levels; Upwork's schema has none. */
const FRAGMENTS = `
  fragment Parts on __Type {
    name
    fields(includeDeprecated: true) { name type { ...Reference } args { name type { ...Reference } } }
    inputFields { name type { ...Reference } }
    enumValues(includeDeprecated: true) { name }
  }
  fragment Reference on __Type { name kind ofType { name kind ofType { name kind ofType { name kind } } } }`;

/** Builds the document that reads types by introspection; a type that the API key cannot see is null. */
export function buildIntrospection(typeNames: readonly string[]) {
  const fields = typeNames.map((name) => `${name}: __type(name: "${name}") { ...Parts }`);
  return defineDocument(
    'Introspection',
    `query Introspection { ${fields.join(' ')} } ${FRAGMENTS}`,
    z.record(z.string(), introspectedType.nullable()),
  );
}

/** Types of one call; a document for all of them could exceed Upwork's limit of complexity. */
const TYPES_PER_CALL = 20;

/** Reads the parts of types that are visible to an API key. */
export async function readSchemaParts(
  typeNames: readonly string[],
  call: (document: ReturnType<typeof buildIntrospection>) => Promise<Parameters<typeof listParts>[0]>,
): Promise<SchemaParts> {
  const parts = new Map<string, string>();
  for (let start = 0; start < typeNames.length; start += TYPES_PER_CALL) {
    const types = await call(buildIntrospection(typeNames.slice(start, start + TYPES_PER_CALL)));
    for (const [coordinate, type] of listParts(types)) parts.set(coordinate, type);
  }
  return parts;
}

/** Lists the parts of introspected types. */
export function listParts(types: Readonly<Record<string, IntrospectedType | null>>): SchemaParts {
  return new Map(Object.values(types).flatMap((type) => (type === null ? [] : listTypeParts(type))));
}

function listTypeParts({ name, fields, inputFields, enumValues }: IntrospectedType): [string, string][] {
  return [
    [name, ''],
    ...(fields ?? []).flatMap((field): [string, string][] => [
      [`${name}.${field.name}`, printType(field.type)],
      ...field.args.map((arg): [string, string] => [`${name}.${field.name}(${arg.name}:)`, printType(arg.type)]),
    ]),
    ...(inputFields ?? []).map((field): [string, string] => [`${name}.${field.name}`, printType(field.type)]),
    ...(enumValues ?? []).map((value): [string, string] => [`${name}.${value.name}`, '']),
  ];
}

function printType({ kind, name, ofType }: TypeReference): string {
  const inner = ofType ? printType(ofType) : '?';
  if (kind === 'NON_NULL') return `${inner}!`;
  return kind === 'LIST' ? `[${inner}]` : (name ?? '?');
}

/** Lists the names of all types of the schema, except scalars. */
export function listTypeNames(): string[] {
  return Object.values(getSchema().getTypeMap())
    .filter((type) => !isScalarType(type) && !isIntrospectionType(type))
    .map(({ name }) => name);
}

/** Lists the parts of the named types as the schema has them. */
export function listExpectedParts(typeNames: readonly string[]): SchemaParts {
  const { text, data: answer } = buildIntrospection(typeNames);
  return listParts(answer.parse(graphqlSync({ schema: getSchema(), source: text }).data));
}

/** Returns the name of the type of a part. */
export function getTypeName(coordinate: string): string {
  return coordinate.split('.', 1)[0]!;
}

/** Lists the parts of the schema that a document names: types, fields, arguments, input fields and enum words. */
export function listUsedParts(documentText: string): string[] {
  const info = new TypeInfo(getSchema());
  const used = new Set<string>();
  const add = (type: unknown, part: string): void => void used.add(`${String(type)}${part}`);
  visit(
    parse(documentText),
    visitWithTypeInfo(info, {
      Field: ({ name }) => add(info.getParentType(), `.${name.value}`),
      Argument: ({ name }) => add(info.getParentType(), `.${info.getFieldDef()?.name}(${name.value}:)`),
      ObjectField: ({ name }) => add(getNamedType(info.getParentInputType()), `.${name.value}`),
      EnumValue: ({ value }) => add(getNamedType(info.getInputType()), `.${value}`),
      VariableDefinition: () => {
        const type = getNamedType(info.getInputType());
        if (type && !isScalarType(type)) add(type, '');
      },
    }),
  );
  return [...used];
}
