import { Caller } from './caller';

/** A JSON schema as the server's OpenAPI document uses it. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly nullable?: boolean;
  readonly enum?: readonly unknown[];
  readonly example?: unknown;
  readonly examples?: readonly unknown[];
  readonly default?: unknown;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly allOf?: readonly Schema[];
}

/** A parameter of an operation. */
export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly schema?: Schema;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value?: unknown }>>;
}

/** An operation of the API, from the server's OpenAPI document. */
export interface Operation {
  readonly method: string;
  /** The path with parameters in braces: `/v1/jobs/{id}`. */
  readonly path: string;
  readonly description?: string;
  readonly signedIn: boolean;
  readonly parameters: readonly Parameter[];
  /** The schema of an `application/json` body, with references resolved one level; undefined without a body. */
  readonly body: Schema | undefined;
  /** The example body of each media type; undefined for a type without an example. */
  readonly examples: Readonly<Record<string, unknown>>;
  readonly statuses: readonly string[];
}

interface RawOperation {
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly security?: readonly unknown[];
  readonly requestBody?: {
    readonly content?: Readonly<Record<string, { readonly schema?: Schema; readonly example?: unknown }>>;
  };
  readonly responses?: Readonly<Record<string, unknown>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

const METHODS = new Set(['get', 'post', 'put', 'patch', 'delete']);

/** Returns all operations that a running server documents. */
export async function readOperations(url: string): Promise<Operation[]> {
  const { body: document } = await new Caller(url).get<Document>('/docs-json');
  const resolve = (schema: Schema | undefined): Schema | undefined => {
    const name = (schema?.$ref ?? schema?.allOf?.[0]?.$ref)?.split('/').at(-1);
    return name === undefined ? schema : document.components?.schemas?.[name];
  };
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => METHODS.has(method))
      .map(([method, raw]) => ({
        method: method.toUpperCase(),
        path,
        description: raw.description ?? '',
        signedIn: (raw.security?.length ?? 0) > 0,
        parameters: raw.parameters ?? [],
        body: resolve(raw.requestBody?.content?.['application/json']?.schema),
        examples: Object.fromEntries(
          Object.entries(raw.requestBody?.content ?? {}).map(([type, { example }]) => [type, example]),
        ),
        statuses: Object.keys(raw.responses ?? {}),
      })),
  );
}

/** Builds a body from the examples of the schema's properties. */
export function buildExample(schema: Schema | undefined): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(schema?.properties ?? {})
      .map(([name, property]) => [name, property.example ?? property.examples?.[0] ?? property.default] as const)
      .filter(([, value]) => value !== undefined),
  );
}

/** Replaces each `{parameter}` in the path. */
export function fillPath(operation: Operation, values: Readonly<Record<string, string>>): string {
  return operation.path.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '1');
}
