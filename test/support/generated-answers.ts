import * as fc from 'fast-check';
import { isEnumType, type GraphQLOutputType, type GraphQLSchema } from 'graphql';
import type { z } from 'zod';
import type { UpworkAnswer, UpworkDocument } from '../../src/upwork/documents/upwork-document';
import { readAnswer } from '../../src/upwork/upwork-answers';
import { type AnswerPlace, buildAnswer } from './schema-answers';

/** Body of an answer of Upwork. */
export interface GeneratedAnswer {
  readonly data: Record<string, unknown> | null;
  readonly errors?: readonly object[];
}

/** The id of the connection's user in generated answers. */
export const OWN_ID = '1300000000000000001';

/** A required value that Upwork could not read: the nearest part that may be null becomes null. */
const UNREADABLE = Symbol('unreadable');

/** Means 1 MiB of text, so that a counterexample can be printed. */
const ONE_MEBIBYTE = '<1 MiB>';

const TEXTS = fc.oneof(
  { weight: 12, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      '',
      ' ',
      '\0',
      '\ud83d',
      '👩‍💻 naïve',
      'שלום \u202eabc',
      'a\0b\r\nc',
      '\u200b',
      '\ufeff',
      '__proto__',
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom('x'.repeat(600), '💶'.repeat(400), `${' '.repeat(200)}x`, ONE_MEBIBYTE) },
);

const IDS = fc.oneof(
  { weight: 20, arbitrary: fc.nat().map((n) => `19914${String(n).padStart(14, '0')}`) },
  { weight: 8, arbitrary: fc.constant(OWN_ID) },
  { weight: 2, arbitrary: fc.constantFrom('', '\0', 'a\nb', 'x'.repeat(101), 'room_3f1c', '1'.repeat(97)) },
);

const AMOUNTS = fc.oneof(
  { weight: 3, arbitrary: fc.nat({ max: 9_000 }).map((cents) => (cents / 100).toFixed(2)) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('0.0', '', '-5', '99999999.996', '1e12', '1e999', 'NaN', '1,500.00', ONE_MEBIBYTE),
  },
);

const CURRENCIES = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('USD', 'EUR', 'XCG') },
  { weight: 1, arbitrary: fc.constantFrom('', 'usd', 'ABC', 'XXX', '💶', ONE_MEBIBYTE) },
);

const INSTANTS = fc.oneof(
  { weight: 8, arbitrary: fc.nat({ max: 1_000_000 }).map((minutes) => String(1_730_000_000_000 + 60_000 * minutes)) },
  { weight: 4, arbitrary: fc.constantFrom('2026-11-20T09:12:00+0000', '2026-11-20T09:12:00.123Z') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '0',
      '253402300799999',
      '999999999999999',
      'yesterday',
      '',
      '-1',
      '1969-12-31T23:59:59Z',
    ),
  },
);

/** Extremes of Upwork's types: 32-bit integers and doubles. */
const NUMBERS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  Int: fc.oneof(fc.nat({ max: 100 }), fc.constantFrom(0, -1, 2_147_483_647, -2_147_483_648)),
  Float: fc.oneof(fc.nat({ max: 100 }), fc.constantFrom(0, -0.01, 4.987, 1.7e308, -1.7e308, 5e-324, 99_999_999.996)),
  Boolean: fc.boolean(),
};

/**
 * Returns answers to a document: null wherever the schema allows it, parts that Upwork cannot read, empty and long
 * lists, unknown words of enums, extreme numbers, odd texts, and errors beside data.
 */
export function buildAnswers(schema: GraphQLSchema, text: string): fc.Arbitrary<GeneratedAnswer> {
  const data = buildAnswer<fc.Arbitrary<unknown>>(schema, text, {
    object: (fields) => fc.record(fields).map(propagate),
    list: buildLists,
    leaf: buildLeaves,
    optional: buildOptional,
    required: buildRequired,
  });
  const hasErrors = fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true));
  return fc.record({ data, hasErrors }).map((answer) => {
    const read = answer.data === UNREADABLE ? null : (answer.data as Record<string, unknown>);
    return { data: read, ...((answer.hasErrors || read === null) && { errors: [MISSING_VALUE] }) };
  });
}

const MISSING_VALUE = {
  message: 'The field at path was declared as a non null type',
  path: ['data'],
  extensions: { classification: 'NullValueInNonNullableField' },
};

/** Returns the answer as it arrives: texts of 1 MiB are written out, and objects have only what JSON has. */
export function toArrivedAnswer(answer: GeneratedAnswer): GeneratedAnswer {
  const body = JSON.stringify(answer).replaceAll(ONE_MEBIBYTE, () => 'x'.repeat(2 ** 20));
  return JSON.parse(body) as GeneratedAnswer;
}

function buildOptional(present: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const values = present.map((value) => (value === UNREADABLE ? null : value));
  return fc.oneof({ weight: 5, arbitrary: values }, { weight: 1, arbitrary: fc.constant(null) });
}

function buildRequired(present: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const unreadable = { weight: 1, arbitrary: fc.constant(UNREADABLE) };
  return fc.oneof({ weight: 200, arbitrary: present }, unreadable);
}

function buildLists(items: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const short = { weight: 20, arbitrary: fc.array(items, { maxLength: 4 }) };
  return fc.oneof(short, { weight: 1, arbitrary: fc.array(items, { minLength: 51, maxLength: 60 }) }).map(propagate);
}

/** Makes a list or an object unreadable that has an unreadable part. */
function propagate(value: object): unknown {
  return Object.values(value).includes(UNREADABLE) ? UNREADABLE : value;
}

/** Returns the values of a leaf. Amounts, currencies and instants have no types; their fields say what they are. */
function buildLeaves(type: GraphQLOutputType, { field }: AnswerPlace): fc.Arbitrary<unknown> {
  if (isEnumType(type)) {
    const words = type.getValues().map(({ name }) => name);
    return fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...words) },
      fc.constantFrom('SOMETHING_NEW', 'Shortlisted'),
    );
  }
  const name = String(type);
  if (field === 'Money.rawValue') return AMOUNTS;
  if (field === 'Money.currency') return CURRENCIES;
  if (field === 'PageInfo.endCursor') return fc.constantFrom('1', '2', 'odd \0 cursor');
  if (field === 'DateTime.rawValue' || /DateTime$|lastClientActivity$/.test(field)) return INSTANTS;
  return NUMBERS[name] ?? (name === 'ID' || /\.(?:organizationId|ciphertext)$/.test(field) ? IDS : TEXTS);
}

/** What the schema requires of a node, by its document. */
export interface GeneratedNode {
  readonly id: string;
  readonly ciphertext: string;
  readonly user: { readonly id: string };
  readonly marketplaceJobPosting: { readonly id: string };
  readonly status: { readonly status: string };
  readonly auditDetails: { readonly createdDateTime: { readonly rawValue: string } };
  readonly createdDateTime: string;
  readonly message: string | null;
  readonly attachments: readonly unknown[] | null;
}

/** Nodes of a list; null for those that Upwork could not read. */
type Nodes = readonly (GeneratedNode | null)[];

/** A list without data ends. */
const END: GeneratedAnswer = { data: {} };

/** Client of Upwork that reads generated answers as the real one does, without HTTP. Further answers are empty. */
export class ScriptedUpwork {
  readonly served: { readonly operation: string; readonly about: unknown; readonly answer: GeneratedAnswer }[] = [];
  private readonly rest: Record<string, GeneratedAnswer[]>;

  /** @param answers by the operation that gets them */
  constructor(answers: Readonly<Record<string, readonly GeneratedAnswer[]>>) {
    this.rest = Object.fromEntries(Object.entries(answers).map(([name, each]) => [name, each.map(toArrivedAnswer)]));
  }

  async call<Schema extends z.ZodType>(
    document: UpworkDocument<Schema>,
    { filter, status }: Readonly<Record<string, unknown>>,
  ): Promise<UpworkAnswer<z.output<Schema>>> {
    const answer = this.rest[document.name]?.shift() ?? END;
    this.served.push({ operation: document.name, about: filter ?? status, answer });
    await Promise.resolve();
    return readAnswer(document, answer);
  }
}

/** Returns whether an answer says nothing but that it failed. */
export function isFailure({ data, errors }: GeneratedAnswer): boolean {
  const parts = Object.values(data ?? {}) as ({ readonly edges?: unknown } | null)[];
  return errors !== undefined && parts.every((part) => part === null || part.edges === null);
}

/** Lists the nodes of an answer. */
export function listNodes({ data }: GeneratedAnswer): Nodes {
  const [list] = Object.values(data ?? {}) as ({ edges: ({ node: Nodes[number] } | null)[] | null } | null)[];
  return (list?.edges ?? []).map((edge) => edge?.node ?? null);
}

/** Returns whether a value identifies something on Upwork. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[!-~]{1,100}$/.test(value);
}

/** Returns whether a value is an instant in one of Upwork's two forms. */
export function isInstant(value: unknown): boolean {
  const milliseconds = Number(/^\d+$/.test(String(value)) ? value : Date.parse(String(value)));
  return milliseconds >= 0 && milliseconds <= Date.UTC(9999, 11, 31, 23, 59, 59, 999);
}
