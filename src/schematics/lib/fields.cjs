// @ts-check
const { FIELD_TYPES, LENGTHS } = require('./field-types.cjs');
const { findUnusedWord } = require('./vocabulary.cjs');

/**
 * @typedef {import('./field-types.cjs').Field} Field
 * @typedef {import('./vocabulary.cjs').Vocabulary} Vocabulary
 */

/** The fields of a domain without the option. */
const DEFAULT_FIELDS = 'name:text(200),description:text(5000)?';

const SYNTAX = 'text(max), longtext, money, instant, date, integer, boolean, enum(a|b), json';

/** `name:type`, `name:type(argument)`, each with `?` for a nullable field. */
const FIELD = /^(\w+):([a-z]+)(?:\(([^()]*)\))?(\?)?$/;

const CAMEL = /^[a-z][a-z0-9]*(?:[A-Z][a-z0-9]*)*$/;

const VALUE = /^[a-z][a-z0-9_]{0,49}$/;

/** PostgreSQL truncates longer names. */
const MAX_IDENTIFIER = 63;

/** Columns and parameters of every domain, members of every object, and secrets, which no plain column may hold. */
const RESERVED = new Set([
  ...['id', 'userId', 'version', 'createdAt', 'updatedAt', 'limit', 'cursor', 'sort', 'sortKey', 'dto'],
  ...['constructor', 'hasOwnProperty', 'isPrototypeOf', 'propertyIsEnumerable', 'toLocaleString', 'toString'],
  ...['valueOf', 'password', 'prompt', 'secret', 'token', 'accessToken', 'refreshToken', 'mfaToken', 'backupCode'],
  ...['backupCodes', 'currentPassword', 'newPassword', 'otpauthUrl', 'qrCode'],
]);

/** @see https://www.postgresql.org/docs/15/ddl-system-columns.html */
const SYSTEM_COLUMNS = new Set(['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid']);

/**
 * Keywords that PostgreSQL reserves or parses in a special way in expressions: `pg_get_keywords()`, catcode R, T and C.
 * @see https://www.postgresql.org/docs/15/sql-keywords-appendix.html
 */
const KEYWORDS = new Set(
  `all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case cast
  char character check coalesce collate collation column concurrently constraint create cross current_date dec decimal
  default deferrable desc distinct do else end except exists extract false fetch float for foreign freeze from full
  grant greatest group grouping having ilike in initially inner inout int integer intersect interval into is isnull
  join lateral leading least left like limit localtime localtimestamp national natural nchar none normalize not notnull
  null nullif numeric offset on only or order out outer overlaps overlay placing position precision primary real
  references returning right row select session_user setof similar smallint some substring symmetric table tablesample
  then time timestamp to trailing treat trim true union unique user using values varchar variadic verbose when where
  window with`.split(/\s+/),
);

/**
 * Parses the option --fields.
 * @param {string} text
 * @param {string} table
 * @param {Vocabulary} vocabulary
 * @returns {{ fields: Field[], mistakes: string[] }} every mistake, each with the field as it was written
 */
function parseFields(text, table, vocabulary) {
  const parsed = splitFields(text).map((part) => parseField(part, table, vocabulary));
  const fields = parsed.flatMap(({ field }) => (field ? [field] : []));
  const repeated = fields.filter(({ name }, i) => fields.findIndex((other) => other.name === name) < i);
  const mistakes = [
    ...parsed.flatMap((one) => one.mistakes),
    ...repeated.map(({ name }) => `--fields ${name}: it is there twice`),
  ];
  return { fields, mistakes };
}

/** Splits at the commas outside parentheses. @param {string} text */
function splitFields(text) {
  return text.split(/,(?![^(]*\))/).map((part) => part.trim());
}

/**
 * @param {string} part
 * @param {string} table
 * @param {Vocabulary} vocabulary
 * @returns {{ field?: Field, mistakes: string[] }}
 */
function parseField(part, table, vocabulary) {
  const [, name, type = '', argument = '', mark] = FIELD.exec(part) ?? [];
  if (name === undefined)
    return { mistakes: [`--fields ${part}: a field is written name:type, such as dueAt:instant?`] };
  const column = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const unused = findUnusedWord(vocabulary, [name, column, ...argument.split('|')]);
  const mistakes = [checkName(name, column, table), checkType(type, argument), checkId(name, type), unused];
  const field = {
    ...{ name, column, words: column.replaceAll('_', ' '), type, isNullable: mark === '?' },
    ...{ max: getLength(type, argument), values: argument.split('|') },
  };
  return { field, mistakes: mistakes.flatMap((mistake) => (mistake ? [`--fields ${part}: ${mistake}`] : [])) };
}

/** @param {string} name @param {string} column @param {string} table @returns {string | undefined} */
function checkName(name, column, table) {
  if (!CAMEL.test(name)) return `"${name}" is not camelCase, such as dueAt`;
  if (RESERVED.has(name)) return `"${name}" is reserved`;
  if (KEYWORDS.has(column)) return `"${column}" is a keyword of PostgreSQL`;
  if (SYSTEM_COLUMNS.has(column)) return `"${column}" is a column of every table in PostgreSQL`;
  const isTooLong = `${table}_${column}_positive`.length > MAX_IDENTIFIER;
  return isTooLong ? `the name of its constraint would have more than ${MAX_IDENTIFIER} characters` : undefined;
}

/** @param {string} type @param {string} argument @returns {string | undefined} */
function checkType(type, argument) {
  if (!Object.hasOwn(FIELD_TYPES, type)) return `no type is "${type}"; the types are ${SYNTAX}`;
  if (type === 'enum') return checkValues(argument);
  if (type === 'text' && argument !== '') return checkLength(Number(argument));
  return argument === '' ? undefined : `${type} has nothing in parentheses`;
}

/** @param {string} argument @returns {string | undefined} */
function checkValues(argument) {
  const values = argument.split('|');
  if (new Set(values).size < values.length) return 'a value of the enum is there twice';
  if (argument === '' || values.length < 2) return 'an enum has at least two values, such as enum(open|paid)';
  const wrong = values.find((value) => !VALUE.test(value));
  return wrong === undefined ? undefined : `"${wrong}" is no value such as past_due, of at most 50 characters`;
}

/** @param {number} max @returns {string | undefined} */
function checkLength(max) {
  const isLength = Number.isInteger(max) && max >= 1 && max <= LENGTHS.most;
  return isLength ? undefined : `the length of a text is a number from 1 to ${LENGTHS.most}`;
}

/** @param {string} name @param {string} type @returns {string | undefined} */
function checkId(name, type) {
  return type === 'integer' && /Ids?$/.test(name) ? 'the id of a row comes from --belongs-to' : undefined;
}

/** @param {string} type @param {string} argument */
function getLength(type, argument) {
  if (type === 'longtext') return LENGTHS.longtext;
  return argument === '' ? LENGTHS.text : Number(argument);
}

module.exports = { parseFields, DEFAULT_FIELDS, MAX_IDENTIFIER };
