import addFormats from 'ajv-formats';
import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020';
import type { Operation } from '../../support/openapi-operations';
import type { Input, Reply } from './sender';
import type { Identity } from './fixtures';

/** The parts of an OpenAPI document that describe responses. */
export interface ContractDocument {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, Answer>> }>>>
  >;
  readonly components: { readonly responses: Readonly<Record<string, Answer>> };
}

interface Answer {
  readonly $ref?: string;
  readonly content?: Readonly<Record<string, { readonly schema?: object }>>;
}

/** A fault of a response. */
export interface ResponseFault {
  readonly rule:
    | 'unanswered'
    | 'server error'
    | 'undocumented status'
    | 'undocumented type'
    | 'schema'
    | 'leak'
    | 'foreign row'
    | 'admin route';
  readonly detail: string;
}

/** Texts that only programs write: stacks, local paths, SQL errors, exceptions. No hostile value contains one. */
const LEAKS: readonly RegExp[] = [
  /\bat [^\n"]{1,200}[^\d\n"]:\d+:\d+\)?/,
  /node_modules|node:internal|\bdist\/src\//,
  /\b(TypeError|RangeError|ReferenceError|SyntaxError|QueryFailedError|ReplyError|EntityMetadataNotFoundError)\b/,
  /\bE(CONNREFUSED|CONNRESET|NOENT|ACCES|PIPE)\b|\bERR_[A-Z]{3,}/,
  /violates (unique|foreign key|check|not-null|row-level)/,
  /(relation|column|function|constraint) \\?"[^"]+\\?" (does not exist|of relation|violat)/,
  /syntax error at or near|invalid input syntax|SQLSTATE|pg_catalog/,
];

/** The size limit of a problem document. */
const PROBLEM_LIMIT_BYTES = 64 * 1024;

/** Checks responses against the contract. */
export class ResponseChecks {
  private readonly ajv = addFormats(new Ajv2020({ strict: false, logger: false }));
  private readonly validators = new Map<string, ValidateFunction | undefined>();

  constructor(private readonly document: ContractDocument) {
    this.ajv.addSchema(document, 'contract');
  }

  /** Returns all faults of a response. */
  findFaults(operation: Operation, identity: Identity, input: Input, reply: Reply | undefined): ResponseFault[] {
    if (!reply) return [{ rule: 'unanswered', detail: 'the connection ended without an answer' }];
    const { status, body } = reply;
    const leak = LEAKS.find((pattern) => pattern.test(status >= 400 ? body : ''));
    return [
      ...(status >= 500 ? [{ rule: 'server error', detail: `${status} ${body.slice(0, 200)}` } as const] : []),
      ...(input.isForeign && status < 400 ? [{ rule: 'foreign row', detail: String(status) } as const] : []),
      ...(isAdminRoute(operation) && identity !== 'admin' && status < 400
        ? [{ rule: 'admin route', detail: String(status) } as const]
        : []),
      ...(leak ? [{ rule: 'leak', detail: body.match(leak)?.[0] ?? '' } as const] : []),
      ...(status >= 500 ? [] : this.findContractFaults(operation, reply)),
    ];
  }

  private findContractFaults(operation: Operation, { status, mediaType, body, isStream }: Reply): ResponseFault[] {
    const answer = this.findAnswer(operation, status);
    if (!answer) return [{ rule: 'undocumented status', detail: String(status) }];
    if (body === '' || isStream) return [];
    if (answer.value.content && !(mediaType in answer.value.content)) {
      return [{ rule: 'undocumented type', detail: `${status} ${mediaType}` }];
    }
    if (status >= 400 && body.length > PROBLEM_LIMIT_BYTES)
      return [{ rule: 'schema', detail: 'a problem of more than 64 KiB' }];
    return this.findSchemaFaults(
      `${answer.pointer}/content/${escape(mediaType)}/schema`,
      answer.value.content?.[mediaType]?.schema,
      body,
    );
  }

  private findSchemaFaults(pointer: string, schema: object | undefined, body: string): ResponseFault[] {
    if (!schema) return [];
    if (!this.validators.has(pointer)) this.validators.set(pointer, this.ajv.compile({ $ref: `contract#${pointer}` }));
    const validate = this.validators.get(pointer)!;
    let value: unknown;
    try {
      value = JSON.parse(body);
    } catch {
      return [{ rule: 'schema', detail: 'not JSON' }];
    }
    if (validate(value)) return [];
    const [error] = validate.errors ?? [];
    return [{ rule: 'schema', detail: `${error?.instancePath} ${error?.message}` }];
  }

  private findAnswer(operation: Operation, status: number): { pointer: string; value: Answer } | undefined {
    const method = operation.method.toLowerCase();
    const value = this.document.paths[operation.path]?.[method]?.responses[status];
    if (!value) return undefined;
    const name = value.$ref?.split('/').at(-1);
    if (name !== undefined)
      return { pointer: `/components/responses/${name}`, value: this.document.components.responses[name]! };
    return { pointer: `/paths/${escape(operation.path)}/${method}/responses/${status}`, value };
  }
}

/** Returns whether only admins may call an operation. */
export function isAdminRoute({ path }: Operation): boolean {
  return /^\/v1\/(admin|dev)\//.test(path);
}

/** Encodes a part of a JSON pointer for the fragment of a URI. */
function escape(part: string): string {
  return encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));
}
