import type { Operation } from '../../support/openapi-operations';
import type { Input, Reply } from './sender';
import type { ResponseFault, ResponseChecks } from './response-checks';
import type { Identity } from './fixtures';

/** One kind of fault of one operation, with its first request. */
export interface Finding {
  readonly operation: string;
  readonly rule: ResponseFault['rule'];
  readonly detail: string;
  count: number;
  readonly example: {
    readonly kind: string;
    readonly identity: Identity;
    readonly path: string;
    readonly headers: object;
    readonly body?: string;
  };
}

const SHOWN_CHARACTERS = 300;

/** Collects the faults of all responses, one entry for each operation, rule and detail. */
export class Findings {
  readonly answers: Record<string, Record<string, number>> = {};
  private readonly found = new Map<string, Finding>();

  constructor(private readonly checks: ResponseChecks) {}

  get list(): readonly Finding[] {
    return [...this.found.values()];
  }

  /** Checks one response. */
  add(operation: Operation, identity: Identity, input: Input, reply: Reply | undefined): void {
    const counts = (this.answers[identity] ??= {});
    const status = reply?.status ?? 'none';
    counts[status] = (counts[status] ?? 0) + 1;
    for (const { rule, detail } of this.checks.findFaults(operation, identity, input, reply)) {
      const name = `${operation.method} ${operation.path}`;
      const key = `${name} ${rule} ${rule === 'undocumented status' || rule === 'schema' ? detail : ''}`;
      const known = this.found.get(key);
      if (known) known.count += 1;
      else this.found.set(key, { operation: name, rule, detail, count: 1, example: formatExample(identity, input) });
    }
  }
}

/** Describes the request shortly, without its access token. */
function formatExample(identity: Identity, { kind, path, headers, body }: Input): Finding['example'] {
  const { authorization: _, ...others } = headers;
  const shown = { kind, identity, path: path.slice(0, SHOWN_CHARACTERS), headers: others };
  return body === undefined ? shown : { ...shown, body: body.toString().slice(0, SHOWN_CHARACTERS) };
}
