import type { OutgoingHttpHeaders } from 'node:http';
import { fillPath, type Operation } from '../../support/openapi-operations';
import { listFields, toJson } from './field-cases';
import { CONTENT_TYPES, HOSTILE_HEADERS, HOSTILE_IDS, HOSTILE_QUERIES, RAW_BODIES } from './hostile-requests';
import { encode, HOSTILE_VALUES, toText } from './hostile-values';
import { Random } from './random';
import type { Input } from './sender';
import type { Identity, Fixtures } from './fixtures';

/** The share of inputs that also have a hostile header or query. */
const EXTRA_SHARE = 0.15;

interface Draft {
  ids: Record<string, string>;
  query: string;
  headers: OutgoingHttpHeaders;
  body: string | Buffer | undefined;
  isForeign: boolean;
}

/** Generates inputs of one operation as one identity; the same seed gives the same choices. */
export class RequestGenerator {
  private readonly random: Random;
  private readonly pathNames: readonly string[];
  private readonly fields: readonly string[];
  private readonly kinds: readonly (readonly [string, (draft: Draft) => void])[];

  constructor(
    seed: number,
    private readonly operation: Operation,
    private readonly identity: Identity,
    private readonly fixtures: Fixtures,
  ) {
    this.random = new Random(`${seed} ${identity} ${operation.method} ${operation.path}`);
    this.pathNames = operation.parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
    this.fields = listFields(operation.body);
    this.kinds = this.applicableKinds();
  }

  /** Returns the next input. */
  next(): Input {
    const draft = this.buildDraft();
    const [kind, change] = this.random.pick(this.kinds);
    change(draft);
    if (this.random.isChance(EXTRA_SHARE)) this.addHeader(draft);
    if (this.random.isChance(EXTRA_SHARE)) draft.query = this.random.pick(HOSTILE_QUERIES);
    return {
      kind,
      method: this.operation.method,
      path: fillPath(this.operation, draft.ids) + (draft.query === '' ? '' : `?${draft.query}`),
      headers: draft.headers,
      ...(draft.body !== undefined && { body: draft.body }),
      ...(draft.isForeign && { isForeign: true }),
    };
  }

  private applicableKinds(): [string, (draft: Draft) => void][] {
    const { body, parameters } = this.operation;
    const queries = parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
    const kinds: [string, (draft: Draft) => void, boolean][] = [
      ['valid', () => undefined, true],
      ['odd header', (draft) => this.addHeader(draft), true],
      ['odd query', (draft) => (draft.query = this.random.pick(HOSTILE_QUERIES)), true],
      ['raw body', (draft) => this.setBody(draft, this.random.pick(RAW_BODIES)), true],
      ['content type', (draft) => this.setType(draft), true],
      ['odd values', (draft) => this.changeFields(draft), this.fields.length > 0],
      ['missing field', (draft) => this.dropField(draft), this.fields.length > 0],
      [
        'extra field',
        (draft) => this.changeBody(draft, { [this.random.pick(EXTRA_FIELDS)]: this.random.pick(HOSTILE_VALUES) }),
        body !== undefined,
      ],
      ['duplicate key', (draft) => this.repeatKey(draft), this.fields.length > 0],
      [
        'foreign reference',
        (draft) => this.addReference(draft),
        this.fields.some((field) => this.fixtures.findForeignReference(field) !== undefined),
      ],
      ['foreign id', (draft) => this.takeForeignIds(draft), this.pathNames.length > 0],
      ['odd id', (draft) => this.takeOddId(draft), this.pathNames.length > 0],
      ['odd parameter', (draft) => (draft.query = this.buildQuery(queries)), queries.length > 0],
      ['forged cursor', (draft) => (draft.query = `cursor=${encode(this.forgeCursor())}`), queries.includes('cursor')],
    ];
    return kinds.filter(([, , isApplicable]) => isApplicable).map(([kind, change]) => [kind, change]);
  }

  private buildDraft(): Draft {
    const { operation, identity, fixtures: fixtures, random } = this;
    const token = fixtures.getToken(identity);
    const ids = Object.fromEntries(
      this.pathNames.map((name) => [name, random.pick(nonEmpty(fixtures.getIds(operation, name, identity).own))]),
    );
    const headers = { ...(token !== undefined && { authorization: `Bearer ${token}` }) };
    const draft: Draft = { ids, query: '', headers, body: undefined, isForeign: false };
    if (operation.body) this.setBody(draft, toJson(this.buildExample()), 'application/json');
    return draft;
  }

  private buildExample(change: Record<string, unknown> = {}): unknown {
    const { body } = this.operation;
    const isRows = body?.type === 'array';
    const example = { ...this.fixtures.buildBody(isRows ? body.items : body, this.identity), ...change };
    return isRows ? [example] : example;
  }

  private setBody(draft: Draft, body: string | Buffer, type = this.typeOfRaw()): void {
    draft.body = body;
    draft.headers['content-type'] = type;
  }

  private typeOfRaw(): string {
    return this.random.isChance(0.8) ? 'application/json' : this.random.pick(CONTENT_TYPES);
  }

  private changeBody(draft: Draft, change: Record<string, unknown>): void {
    this.setBody(draft, toJson(this.buildExample(change)), 'application/json');
  }

  private changeFields(draft: Draft): void {
    const count = 1 + this.random.int(3);
    const change = Array.from(
      { length: count },
      () => [this.random.pick(this.fields), this.random.pick(HOSTILE_VALUES)] as const,
    );
    this.changeBody(draft, Object.fromEntries(change));
  }

  private dropField(draft: Draft): void {
    this.changeBody(draft, { [this.random.pick(this.fields)]: undefined });
  }

  private repeatKey(draft: Draft): void {
    const field = this.random.pick(this.fields);
    const text = toJson(this.buildExample());
    this.setBody(
      draft,
      text.replace('{', `{"${field}":${toJson(this.random.pick(HOSTILE_VALUES))},"${field}":null,`),
      'application/json',
    );
  }

  private addReference(draft: Draft): void {
    const fields = this.fields.filter((field) => this.fixtures.findForeignReference(field) !== undefined);
    const field = this.random.pick(fields);
    this.changeBody(draft, { [field]: this.fixtures.findForeignReference(field) });
    draft.isForeign = true;
  }

  private takeForeignIds(draft: Draft): void {
    for (const name of this.pathNames) {
      const { foreign } = this.fixtures.getIds(this.operation, name, this.identity);
      if (foreign.length === 0) continue;
      draft.ids[name] = this.random.pick(foreign);
      draft.isForeign = true;
    }
  }

  private takeOddId(draft: Draft): void {
    draft.ids[this.random.pick(this.pathNames)] = this.random.pick(HOSTILE_IDS);
  }

  private setType(draft: Draft): void {
    this.setBody(draft, draft.body ?? 'x', this.random.pick(CONTENT_TYPES));
  }

  private addHeader(draft: Draft): void {
    const [name, value] = this.random.pick(HOSTILE_HEADERS);
    const known = Object.keys(draft.headers).find((header) => header.toLowerCase() === name.toLowerCase());
    draft.headers[known ?? name] = Buffer.from(value, 'utf8').toString('latin1');
  }

  private buildQuery(names: readonly string[]): string {
    const count = 1 + this.random.int(3);
    return Array.from(
      { length: count },
      () => `${this.random.pick(names)}=${encode(toText(this.random.pick(HOSTILE_VALUES)).slice(0, 3_000))}`,
    ).join('&');
  }

  /** Returns a cursor of another list or user, one with a changed character, or an invalid one. */
  private forgeCursor(): string {
    const genuine = this.random.pick(nonEmpty(this.fixtures.genuineCursors));
    const at = this.random.int(genuine.length);
    const changed = genuine.slice(0, at) + (genuine[at] === 'A' ? 'B' : 'A') + genuine.slice(at + 1);
    return this.random.pick([
      genuine,
      changed,
      genuine.slice(0, at),
      genuine + genuine,
      'AAAA',
      Buffer.from('{"id":1}').toString('base64url'),
    ]);
  }
}

const EXTRA_FIELDS = [
  'nonsense',
  'userId',
  'user_id',
  'id',
  'role',
  'version',
  'createdAt',
  '',
  'a\u0000',
  '__proto__x',
  'constructor',
  'toString',
] as const;

function nonEmpty(items: readonly string[]): readonly string[] {
  return items.length > 0 ? items : ['1'];
}
