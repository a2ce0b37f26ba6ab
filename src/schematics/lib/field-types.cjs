// @ts-check
const { capital, wrapList } = require('./words.cjs');

/**
 * @typedef {import('./words.cjs').Words} Words
 *
 * @typedef {object} Field A field of a domain, such as dueAt:instant?
 * @property {string} name dueAt
 * @property {string} column due_at
 * @property {string} words due at
 * @property {string} type instant
 * @property {boolean} isNullable true
 * @property {number} max the longest length of a text
 * @property {readonly string[]} values the values of an enum
 *
 * @typedef {object} FieldType The code of a type in the generated files.
 * @property {string} decorator the decorator of a request body
 * @property {string} from the file with the decorator
 * @property {string} column the type in PostgreSQL
 * @property {(field: Field, words: Words) => string} type the type in TypeScript
 * @property {(field: Field) => readonly unknown[]} samples two valid values
 * @property {(field: Field) => readonly string[]} invalid values that are refused, besides a missing one and null
 * @property {(field: Field) => string} [limits] members of the decorator's options
 * @property {(field: Field) => [suffix: string, condition: string]} [check] the CHECK of the column
 * @property {(words: string, word: string) => string} [describe] the description in OpenAPI, of a domain's `word`
 */

const VALIDATION = '../platform/http/validation';

/** Default length of text, the longest one, and that of longtext. */
const LENGTHS = { text: 200, most: 50_000, longtext: 20_000 };

/** @type {FieldType} */
const TEXT = {
  decorator: 'TextField',
  from: `${VALIDATION}/fields`,
  column: 'text',
  type: () => 'string',
  samples: ({ words, max }) => [`Some ${words}`, `Another ${words}`].map((text) => text.slice(0, max).trim()),
  invalid: ({ isNullable, max }) => [...(isNullable ? [] : [`'   '`]), '7', `'x'.repeat(${toDigits(max + 1)})`],
  limits: ({ max }) => `max: ${toDigits(max)}`,
  check: ({ column, isNullable, max }) => [
    'length',
    `char_length(${column}) ${isNullable ? '<=' : 'BETWEEN 1 AND'} ${max}`,
  ],
};

/** @type {Readonly<Record<string, FieldType>>} */
const FIELD_TYPES = {
  text: TEXT,
  longtext: TEXT,
  money: {
    decorator: 'MoneyField',
    from: `${VALIDATION}/money-field`,
    column: 'numeric(10,2)',
    type: () => 'string',
    samples: () => ['45.00', '99.50'],
    invalid: () => ['45', `'-1'`, `'1.234'`, `'100000000'`],
    check: ({ column }) => ['positive', `${column} >= 0 AND ${column} <> 'NaN'`],
  },
  instant: {
    decorator: 'InstantField',
    from: `${VALIDATION}/fields`,
    column: 'timestamptz',
    type: () => 'Date',
    samples: () => ['2026-01-31T09:30:00.000Z', '2026-02-28T18:00:00.000Z'],
    invalid: () => [`'tomorrow'`, `'2026-02-30T09:30:00Z'`, `'2026-01-31T09:30:00'`, '1'],
    describe: (words) => `${capital(words)} (UTC).`,
  },
  date: {
    decorator: 'DayField',
    from: `${VALIDATION}/fields`,
    column: 'date',
    type: () => 'string',
    samples: () => ['2026-01-31', '2026-02-28'],
    invalid: () => [`'tomorrow'`, `'2026-02-30'`, `'1999-12-31'`, '20260131'],
    describe: (words) => `${capital(words)}, a day.`,
  },
  integer: {
    decorator: 'IntegerField',
    from: `${VALIDATION}/fields`,
    column: 'integer',
    type: () => 'number',
    samples: () => [7, 8],
    invalid: () => ['1.5', `'7'`, '2_147_483_648', '-2_147_483_649'],
    limits: () => 'min: -2_147_483_648, max: 2_147_483_647',
  },
  boolean: {
    decorator: 'BooleanField',
    from: `${VALIDATION}/fields`,
    column: 'boolean',
    type: () => 'boolean',
    samples: () => [false, true],
    invalid: () => [`'true'`, '1'],
    describe: (words, word) =>
      /^(?:is|has|can) /.test(words) ? `Whether the ${word} ${words}.` : `${capital(words)}: true or false.`,
  },
  enum: {
    decorator: 'EnumField',
    from: `${VALIDATION}/fields`,
    column: 'text',
    type: ({ name }, { Singular }) => `${Singular}${capital(name)}`,
    samples: ({ values }) => values.slice(0, 2),
    invalid: () => [`'not listed'`, '7'],
    check: ({ column, values }) => ['known', `${column} IN (${wrapList(values.map(toSqlText), '        ')})`],
  },
  json: {
    decorator: 'JsonObjectField',
    from: `${VALIDATION}/json-object-field`,
    column: 'jsonb',
    type: () => 'Record<string, unknown>',
    samples: () => [{ key: 'value' }, { key: 'another value' }],
    invalid: () => [`'text'`, '[1]', `{ key: 'x'.repeat(16_384) }`],
    limits: () => '...JSON_LIMITS',
    // PostgreSQL's text of a JSON value has spaces, so it is longer than that of a request.
    check: ({ column }) => ['size', `jsonb_typeof(${column}) = 'object' AND octet_length(${column}::text) <= 65536`],
  },
};

/** Returns a number as source code: 20_000. @param {number} value */
function toDigits(value) {
  return String(value).replace(/\B(?=(?:\d{3})+$)/g, '_');
}

/** @param {string} text without quotes */
const toSqlText = (text) => `'${text}'`;

module.exports = { FIELD_TYPES, LENGTHS };
