import type { Answer, Caller } from './caller';
import { fillPath, type Operation, type Parameter } from './openapi-operations';

/** Where the page takes ids that no example can contain; see `PREFILL_PLUGINS`. */
const LISTS: Readonly<Record<string, string>> = {
  jobId: '/v1/jobs',
  proposalId: '/v1/proposals',
  recordId: '/v1/jobs',
};

/**
 * Returns the value that Swagger UI fills in for a parameter, in its order of preference; undefined for an empty field.
 */
export function prefillOf({ schema, example, examples }: Parameter): string | undefined {
  const [first] = Object.values(examples ?? {});
  const value = first?.value ?? example ?? schema?.example ?? schema?.default;
  return value === undefined || typeof value === 'string' ? value : JSON.stringify(value);
}

/** Fields that the page fills with the last value of that name in an answer. */
const TOKENS = ['refreshToken', 'mfaToken'];

/** Options of a form. */
interface SwaggerFormOptions {
  /** False for a user who creates nothing where a list is empty. */
  readonly createsRows?: boolean;
}

/** A user of Swagger UI: presses "Execute" and fills in only the empty fields for ids. */
export class SwaggerForm {
  private readonly tokens: Record<string, string | undefined> = {};

  constructor(
    private readonly caller: Caller,
    private readonly operations: readonly Operation[],
    private readonly options: SwaggerFormOptions = {},
  ) {}

  /**
   * Sends the operation as the form is filled in, with the body of a media type if it has several. Typed values replace
   * what the form contains.
   */
  async execute(
    operation: Operation,
    type?: string,
    typed: Readonly<Record<string, string | number>> = {},
  ): Promise<Answer> {
    const values: Record<string, string> = {};
    const query = new URLSearchParams();
    const headers: Record<string, string> = {};
    for (const parameter of operation.parameters) {
      const { name, in: place } = parameter;
      const filled =
        prefillOf(parameter) ?? (parameter.required ? await this.idFor(operation, name, values) : undefined);
      const value = typed[name]?.toString() ?? filled;
      if (value === undefined) continue;
      if (place === 'path') values[name] = value;
      else if (place === 'query') query.set(name, value);
      else headers[name] = value;
    }
    const mediaType = type ?? Object.keys(operation.examples)[0];
    const body = mediaType === undefined ? undefined : await this.fillBody(operation.examples[mediaType], typed);
    const path = encodeURI(fillPath(operation, values)) + (query.size > 0 ? `?${query.toString()}` : '');
    const answer = await this.caller.send(operation.method, path, body, {
      ...headers,
      ...(mediaType === undefined ? {} : { 'content-type': mediaType }),
    });
    for (const name of TOKENS) this.tokens[name] = answer.body?.[name] ?? this.tokens[name];
    return answer;
  }

  /** Executes an operation by its name, such as `POST /v1/jobs`. */
  async executeNamed(name: string, typed?: Readonly<Record<string, string | number>>): Promise<Answer> {
    const operation = this.operations.find(({ method, path }) => `${method} ${path}` === name)!;
    return this.execute(operation, undefined, typed);
  }

  private async fillBody(example: unknown, typed: Readonly<Record<string, string | number>>): Promise<unknown> {
    if (typeof example !== 'object' || example === null || Array.isArray(example)) return example;
    const filled: Record<string, unknown> = { ...example };
    for (const name of Object.keys(filled)) {
      const list = LISTS[name];
      const value = list === undefined ? this.tokens[name] : await this.newestIn(list);
      filled[name] = typed[name] ?? value ?? filled[name];
    }
    return filled;
  }

  private async idFor(
    { path }: Operation,
    name: string,
    known: Readonly<Record<string, string>>,
  ): Promise<string | undefined> {
    const before = path.split(`/{${name}}`)[0]!.replace(/\{(\w+)\}/g, (_, parameter: string) => known[parameter]!);
    return (await this.newestIn(LISTS[name] ?? before))?.toString();
  }

  /** Returns the first id of a list; if it is empty, creates a row from the example of its POST where allowed. */
  private async newestIn(list: string): Promise<string | number | undefined> {
    const id = await this.firstOf(list);
    const create = this.operations.find(({ method, path }) => method === 'POST' && path === list);
    if (id !== undefined || !create || this.options.createsRows === false) return id;
    await this.execute(create);
    return this.firstOf(list);
  }

  private async firstOf(list: string): Promise<string | number | undefined> {
    const get = (path: string) => this.caller.get<{ items?: { id: string | number }[] }>(path);
    const answer = await get(list);
    // Rows for all users are listed for every user.
    const { body } = answer.status === 200 ? answer : await get(list.replace('/v1/admin/', '/v1/'));
    return body?.items?.[0]?.id;
  }
}
