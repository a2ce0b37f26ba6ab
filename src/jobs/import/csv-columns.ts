import { type FieldError, invalidValue } from '../../platform/errors/app-error';
import { EXPERIENCE_LEVELS } from '../job-values';
import { CreateJobDto } from '../jobs.dto';
import { describeField, listFields } from '../../platform/http/openapi/dto-fields';
import { MONEY_PATTERN } from '../../platform/http/validation/money';
import {
  asAmount,
  asBoolean,
  asChoice,
  asCode,
  asId,
  asJson,
  assertCurrencyOf,
  assertNoFormulaError,
  asList,
  asText,
  bareCell,
  type CellReader,
  isNothing,
  splitList,
} from './cell-readers';
import { asDay, asDecimal, asInstant, asInteger } from './fact-readers';
import { foldName, findNearestName, describeUnknownName } from '../../platform/http/validation/nearest-name';
import { forDisplay } from '../../platform/http/validation/fields';
import type { Separator } from './csv-separator';
import { BrokenFileError } from './import-row';

/** Columns of a listing exported from Upwork's search page. */
export const UPWORK_COLUMNS = ['Job Title', 'Hourly/Fixed', 'Budget', 'Level', 'Skills'] as const;

type Column = (typeof UPWORK_COLUMNS)[number];
type Listing = Readonly<Partial<Record<Column, string>>>;

/** An amount with commas only between groups of three digits: `$1,50` is an error, not 150 dollars. */
const AMOUNT = String.raw`\$((?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d{1,2})?)`;
const HOURLY = new RegExp(String.raw`^Hourly(?::\s*${AMOUNT}(?:\s*[-–—]\s*${AMOUNT})?)?$`, 'i');
const BUDGET = new RegExp(String.raw`^(?:Est\. budget:\s*)?${AMOUNT}$`, 'i');
const LEVELS: ReadonlySet<string> = new Set(EXPERIENCE_LEVELS);

/** Returns true for the columns of an Upwork listing. */
export function isUpworkListing(names: readonly string[]): boolean {
  return names.includes('Job Title');
}

/**
 * Converts a row of an Upwork listing to the fields of a job. `Hourly: $25.00 - $35.00` is an hourly rate, a fixed
 * price is both ends of the budget, `N/A` is empty, and a final `+3` is the number of skills that are not named.
 * @throws AppError `validation.failed` for a cell in another form
 */
export function readUpworkListing(listing: Listing): Record<string, unknown> {
  return {
    title: listing['Job Title'],
    ...parsePayment(valueOrUndefined(listing['Hourly/Fixed'])),
    ...parseBudget(valueOrUndefined(listing.Budget)),
    experienceLevel: parseLevel(valueOrUndefined(listing.Level)),
    skills: parseSkills(valueOrUndefined(listing.Skills)),
  };
}

/** Returns the cell, or undefined for an empty one. */
function valueOrUndefined(cell: string | undefined): string | undefined {
  return cell === undefined || isNothing(cell) ? undefined : cell;
}

function parsePayment(cell: string | undefined): Record<string, unknown> {
  if (cell === undefined) return {};
  if (asChoice(cell) === 'fixed') return { jobType: 'fixed' };
  const match = HOURLY.exec(cell);
  if (!match)
    throw invalidValue(
      '/jobType',
      'upwork_payment',
      `Hourly/Fixed must be "Fixed price", "Hourly" or "Hourly: $25.00 - $35.00"`,
    );
  const [, min, max = min] = match;
  return { jobType: 'hourly', hourlyRateMin: parseAmount(min), hourlyRateMax: parseAmount(max) };
}

function parseBudget(cell: string | undefined): Record<string, unknown> {
  if (cell === undefined) return {};
  const [, amount] = BUDGET.exec(cell) ?? [];
  if (amount === undefined)
    throw invalidValue('/budgetMin', 'upwork_budget', 'Budget must be "N/A" or "Est. budget: $1,000.00"');
  return { budgetMin: parseAmount(amount), budgetMax: parseAmount(amount), currency: 'USD' };
}

function parseLevel(cell: string | undefined): string | undefined {
  if (cell === undefined) return undefined;
  const level = asChoice(cell);
  if (!LEVELS.has(level))
    throw invalidValue('/experienceLevel', 'upwork_level', 'Level must be Entry Level, Intermediate or Expert');
  return level;
}

function parseSkills(cell: string | undefined): string[] {
  const skills = splitList(cell ?? '', 'skills');
  if (/^\+\d+$/.test(skills.at(-1) ?? '')) skills.pop();
  return skills.filter((skill) => skill !== '');
}

function parseAmount(text: string | undefined): string | undefined {
  return text?.replaceAll(',', '');
}

/** The conversion of a row's cells to a job's fields. */
export interface CsvColumns {
  /** The field, or the listing's column, of each cell; '' for a column without a name. */
  readonly names: readonly string[];
  /** Converts a row. @throws AppError `validation.failed` for a cell in the wrong form */
  read(cells: readonly string[]): Record<string, unknown>;
}

/** Readers that cannot be chosen by the documentation of a field. */
const SPECIAL_READERS: Readonly<Record<string, CellReader>> = {
  upworkJobId: asId,
  currency: asCode,
  clientSpentCurrency: asCode,
};

/** Readers by the format or, without one, the type of a field. */
const READERS_BY_TYPE: ReadonlyMap<unknown, CellReader> = new Map<unknown, CellReader>([
  [Boolean, asBoolean],
  [Number, asDecimal],
  ['integer', asInteger],
  ['date', asDay],
  ['date-time', asInstant],
  ['object', asJson],
]);

/** The fields of POST /v1/jobs, each with the reader of its cells. */
const FIELDS: Readonly<Record<string, CellReader>> = Object.fromEntries(
  listFields(CreateJobDto).map((name) => [name, SPECIAL_READERS[name] ?? chooseReader(name)]),
);

function chooseReader(name: string): CellReader {
  const field = describeField(CreateJobDto, name);
  if (field.isArray) return asList;
  if (field.enum) return asChoice;
  if (field.pattern === MONEY_PATTERN) return asAmount;
  return READERS_BY_TYPE.get(field.format ?? field.type) ?? asText;
}

const FIELD_NAMES = Object.keys(FIELDS);

/** Names of Upwork's API and site for fields, as exports have them. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['publishedDateTime', 'postedAt'],
  ['renewedDateTime', 'renewedAt'],
  ['totalSpent', 'clientSpent'],
  ['totalHires', 'clientHires'],
  ['totalPostedJobs', 'clientPostedJobs'],
  ['totalFeedback', 'clientRating'],
  ['totalReviews', 'clientReviews'],
  ['paymentVerified', 'clientPaymentVerified'],
  ['memberSince', 'clientMemberSince'],
  ['clientCountry', 'country'],
  ['totalApplicants', 'applicants'],
  ['proposals', 'applicants'],
  ['applied', 'alreadyApplied'],
  ['preferredFreelancerLocation', 'preferredLocations'],
  ['preferredFreelancerLocationMandatory', 'locationRequired'],
]);
const ALIAS_NAMES = [...ALIASES.keys()];

/** Readers of numbers and words, for which invisible characters are removed. */
const BARE_READERS: ReadonlySet<CellReader | undefined> = new Set([
  ...[asAmount, asBoolean, asChoice, asCode, asId],
  ...[asDay, asDecimal, asInstant, asInteger],
]);

/** Limit above the length of any column's name. */
const MAX_NAME_LENGTH = 100;

/** Number of errors in a header that the detail describes; `errors` has all. */
const MAX_DESCRIBED = 3;

/**
 * Returns the conversion for the rows under this header. Case, spaces and underscores of names do not matter.
 * @throws BrokenFileError for an unknown or repeated column, and for a header without a title
 */
export function columnsOf(header: readonly string[], separator: Separator): CsvColumns {
  const listing = header.map((name) => findKnownName(name, UPWORK_COLUMNS));
  const isListing = isUpworkListing(listing);
  const known: readonly string[] = isListing ? UPWORK_COLUMNS : FIELD_NAMES;
  const names = isListing ? listing : header.map(findField);
  assertColumns(header, names, known);
  const pairsOf = (cells: readonly string[]): [string, string][] =>
    cells.map((cell, index): [string, string] => [names[index] ?? '', cell]).filter(([name]) => name !== '');
  const read = (cells: readonly string[]): Record<string, unknown> => {
    assertUnnamedEmpty(names, cells);
    const pairs = pairsOf(cells);
    return isListing ? readUpworkListing(Object.fromEntries(pairs)) : readFields(pairs, separator);
  };
  return { names, read };
}

/** Returns the known name that differs only in case, spaces and marks; otherwise the name itself. */
function findKnownName(name: string, known: readonly string[]): string {
  if (name.length > MAX_NAME_LENGTH) return name;
  const folded = foldName(name);
  return known.find((candidate) => foldName(candidate) === folded) ?? name;
}

/** Returns the field that a column's name means; otherwise the name itself. */
function findField(name: string): string {
  return ALIASES.get(findKnownName(name, ALIAS_NAMES)) ?? findKnownName(name, FIELD_NAMES);
}

/** Removes empty cells and those that mark a missing value. */
function readFields(pairs: readonly [string, string][], separator: Separator): Record<string, unknown> {
  const given = pairs
    .map(([name, cell]): [string, string] => [name, BARE_READERS.has(FIELDS[name]) ? bareCell(cell) : cell])
    .filter(([, cell]) => !isNothing(cell));
  const values = new Map(given);
  return Object.fromEntries(
    given.map(([name, cell]) => {
      assertNoFormulaError(cell, name);
      const column = name === 'clientSpent' ? 'clientSpentCurrency' : 'currency';
      if (FIELDS[name] === asAmount) assertCurrencyOf(cell, name, { column, code: values.get(column) ?? 'USD' });
      return [name, FIELDS[name]?.(cell, name, separator)];
    }),
  );
}

function assertUnnamedEmpty(names: readonly string[], cells: readonly string[]): void {
  const index = names.findIndex((name, at) => name === '' && cells[at] !== '');
  if (index === -1) return;
  throw invalidValue(
    '',
    'unnamed_column',
    `Column ${index + 1} has a value and no name. Name it in the first line or clear it.`,
  );
}

function assertColumns(header: readonly string[], names: readonly string[], known: readonly string[]): void {
  const errors = listHeaderErrors(header, names, known);
  const [title] = known.filter((name) => name === 'title' || name === 'Job Title');
  if (errors.length === 0 && title && !names.includes(title)) {
    errors.push({
      pointer: '',
      code: 'missing_column',
      message: `The first line names the columns, and "${title}" must be one.`,
    });
  }
  if (errors.length > 0) throw new BrokenFileError(1, describe(errors, header, known), errors);
}

/** Builds the detail, which lists the known columns once. */
function describe(errors: readonly FieldError[], header: readonly string[], known: readonly string[]): string {
  const more = errors.length - MAX_DESCRIBED;
  return [
    ...(hasKnownColumn(header, known)
      ? []
      : ['No column is known. Remove the lines above the line that names the columns.']),
    ...errors.slice(0, MAX_DESCRIBED).map(({ message }) => message),
    ...(more > 0 ? [more === 1 ? '1 more column is wrong.' : `${more} more columns are wrong.`] : []),
    `Known columns: ${known.join(', ')}.`,
    ...(errors.some(({ code }) => code === 'unknown_column')
      ? ['The separator is a comma, a semicolon, a tab or "|".']
      : []),
  ].join(' ');
}

/** Returns true for a known name or one similar to it. */
function hasKnownColumn(header: readonly string[], known: readonly string[]): boolean {
  return header.slice(0, known.length).some((name) => findNearestName(name, known) !== undefined);
}

function listHeaderErrors(header: readonly string[], names: readonly string[], known: readonly string[]): FieldError[] {
  const named = [...names.keys()].filter((index) => names[index] !== '');
  // With more columns than known names, one of the first is wrong, so the others are not checked.
  const faults = named
    .slice(0, known.length + 1)
    .flatMap((index) => findFaults(index, header[index] ?? '', names, known));
  if (named.length <= known.length) return faults;
  const first = faults[0]?.message ?? '';
  const message = `The first line has ${named.length} columns; at most ${known.length} are known. ${first}`;
  return [{ pointer: '', code: 'too_many_columns', message }];
}

function findFaults(index: number, text: string, names: readonly string[], known: readonly string[]): FieldError[] {
  const name = names[index] ?? '';
  if (!known.includes(name))
    return [{ pointer: `/${index}`, code: 'unknown_column', message: describeUnknownColumn(text, known) }];
  if (names.indexOf(name) === index) return [];
  return [
    { pointer: `/${index}`, code: 'duplicate_column', message: `The column "${forDisplay(text)}" appears twice.` },
  ];
}

function describeUnknownColumn(text: string, known: readonly string[]): string {
  const parts = text.length > MAX_NAME_LENGTH ? [] : text.split(/[^\p{L}\p{N}\s_-]+/u);
  const isLine = parts.filter((part) => known.includes(findKnownName(part, known))).length > 1;
  if (!isLine) return describeUnknownName('column', text, known);
  return `The line "${forDisplay(text)}" is one value. Name its separator or leave out the quotes around the line.`;
}
