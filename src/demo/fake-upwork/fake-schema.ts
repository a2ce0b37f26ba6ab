import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildSchema,
  defaultFieldResolver,
  execute,
  GraphQLError,
  isEnumType,
  Kind,
  parse,
  validate,
  type DocumentNode,
  type GraphQLFieldResolver,
} from 'graphql';
import { LRUCache } from 'lru-cache';

/** The file is all that the fake shares with the client. */
const SCHEMA = join(__dirname, '..', '..', 'upwork', 'schema', 'schema.graphql');

/** Body of a call to the GraphQL endpoint. */
export interface GraphqlRequest {
  readonly operationName: string;
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** Error in a GraphQL response. Clients decide by its classification, never by its whole text. */
export interface FakeError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly locations?: readonly { readonly line: number; readonly column: number }[];
  readonly extensions: { readonly classification: string };
}

/** Data of a response: its connections by name. */
export type FakeData = Record<string, { edges: { node: Record<string, unknown> | null }[] }>;

/** GraphQL response. Data and errors can be there together. */
export interface FakeAnswer<Data = FakeData> {
  data: Data;
  errors?: FakeError[];
}

/** A parsed document with its violations of the schema, or the error of the parser alone. */
interface ReadDocument {
  readonly document?: DocumentNode;
  readonly invalid: readonly GraphQLError[];
}

const documents = new LRUCache<string, ReadDocument>({ max: 100 });

/** The schema in src/upwork/schema/schema.graphql. */
export const FAKE_SCHEMA = loadSchema();

/** Builds an error as Upwork reports it. */
export function buildError(message: string, classification = 'DataFetchingException'): GraphQLError {
  return new GraphQLError(message, { extensions: { classification } });
}

/** Lists the fields that a document asks for at its top; none when it cannot be parsed. */
export function listRootFields(query: string): string[] {
  return (readDocument(query).document?.definitions ?? [])
    .flatMap((each) => (each.kind === Kind.OPERATION_DEFINITION ? each.selectionSet.selections : []))
    .flatMap((each) => (each.kind === Kind.FIELD ? [each.name.value] : []));
}

/** Parses, validates and executes a document over `root`. An invalid one has no data, and HTTP 200 as at Upwork. */
export async function runDocument(request: GraphqlRequest, root: object): Promise<FakeAnswer<FakeData | null>> {
  const { document, invalid } = readDocument(request.query);
  if (document === undefined) return buildRefusal('InvalidSyntax', invalid);
  if (invalid.length > 0) return buildRefusal('ValidationError', invalid);
  const { data, errors } = await execute({
    schema: FAKE_SCHEMA,
    document,
    rootValue: root,
    operationName: request.operationName,
    variableValues: request.variables,
    fieldResolver: resolveField,
  });
  // Variables of a wrong type end a call before it is executed.
  if (data === undefined) return buildRefusal('ValidationError', errors ?? []);
  return { data: data as FakeData | null, ...(errors && { errors: errors.map(formatError) }) };
}

/** Upwork adds words to its enums without notice, so a word that the schema lacks is sent as it is. */
function loadSchema() {
  const schema = buildSchema(readFileSync(SCHEMA, 'utf8'));
  for (const type of Object.values(schema.getTypeMap())) {
    if (isEnumType(type) && !type.name.startsWith('__')) type.serialize = (value) => value as string;
  }
  return schema;
}

/** Returns what a text was read as before: a client sends few texts, each many times. */
function readDocument(query: string): ReadDocument {
  const known = documents.get(query);
  if (known) return known;
  const read = parseAndValidate(query);
  documents.set(query, read);
  return read;
}

function parseAndValidate(query: string): ReadDocument {
  try {
    const document = parse(query);
    return { document, invalid: validate(FAKE_SCHEMA, document) };
  } catch (error) {
    return { invalid: [error as GraphQLError] };
  }
}

/** Resolves fields as usual. A field at the top that the fake does not implement is one without permission. */
const resolveField: GraphQLFieldResolver<Record<string, unknown>, unknown> = (source, args, context, info) => {
  if (info.path.prev === undefined && !(info.fieldName in source)) {
    throw buildError(
      "The client or authentication token doesn't have enough oauth2 permissions/scopes to access: " +
        `[${info.parentType.name}.${info.fieldName}]`,
      'ExecutionAborted',
    );
  }
  return defaultFieldResolver(source, args, context, info);
};

function buildRefusal(classification: string, errors: readonly GraphQLError[]): FakeAnswer<null> {
  const refused = errors.map(({ message, locations }) => ({
    message: `Validation error : ${message}`,
    ...(locations && { locations: [...locations] }),
    extensions: { classification },
  }));
  return { data: null, errors: refused };
}

function formatError({ message, path, locations, extensions }: GraphQLError): FakeError {
  const isMissing = message.startsWith('Cannot return null for non-nullable field');
  const classification = isMissing ? 'NullValueInNonNullableField' : extensions['classification'];
  return {
    message,
    ...(path && { path: [...path] }),
    ...(locations && { locations: [...locations] }),
    extensions: { classification: typeof classification === 'string' ? classification : 'DataFetchingException' },
  };
}
