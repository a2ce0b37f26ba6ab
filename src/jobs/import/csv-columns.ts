import { invalidValue, type FieldError } from '../../platform/errors/app-error';
import { foldName, unknownName } from '../../platform/http/nearest-name';
import { shown } from '../../platform/http/text';
import { assertCurrencyOf } from './cell-amount';
import {
  asAmount,
  asBoolean,
  asChoice,
  asId,
  asJson,
  asSkills,
  assertNoFormulaError,
  asText,
  isNothing,
  type CellReader,
} from './cell-readers';
import type { Separator } from './csv-separator';
import { BrokenFileError } from './import-row';
import { isUpworkListing, UPWORK_COLUMNS, readUpworkListing } from './upwork-listing';

/** How the cells of a row become a job's fields. */
export interface CsvColumns {
  /** Our field, or the listing's column, of each cell; '' for a column without a name. */
  readonly names: readonly string[];
  /** @throws AppError `validation.failed` for a cell that does not have its column's form */
  read(cells: readonly string[]): Record<string, unknown>;
}

const FIELDS: Readonly<Record<string, CellReader>> = {
  upworkJobId: asId,
  title: asText,
  description: asText,
  budgetMin: asAmount,
  budgetMax: asAmount,
  hourlyRateMin: asAmount,
  hourlyRateMax: asAmount,
  currency: asText,
  skills: asSkills,
  category: asText,
  subcategory: asText,
  country: asText,
  clientInfo: asJson,
  jobType: asChoice,
  experienceLevel: asChoice,
  duration: asText,
  workload: asText,
  status: asChoice,
  isFavorite: asBoolean,
};

const FIELD_NAMES = Object.keys(FIELDS);

/** Longer than any name of a column. */
const MAX_NAME_LENGTH = 100;

/** Most mistakes of a header that its detail describes; `errors` has them all. */
const MAX_DESCRIBED = 3;

/**
 * Returns how the rows under this header are read. Case, spaces and underscores of names do not matter.
 * @throws BrokenFileError for a column that is unknown or there twice, and for a header without a title
 */
export function columnsOf(header: readonly string[], separator: Separator): CsvColumns {
  const listing = header.map((name) => nameOf(name, UPWORK_COLUMNS));
  const isListing = isUpworkListing(listing);
  const known: readonly string[] = isListing ? UPWORK_COLUMNS : FIELD_NAMES;
  const names = isListing ? listing : header.map((name) => nameOf(name, FIELD_NAMES));
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

/** Returns the known name that differs by case, spaces and marks only, else the name as it is. */
function nameOf(name: string, known: readonly string[]): string {
  if (name.length > MAX_NAME_LENGTH) return name;
  const folded = foldName(name);
  return known.find((candidate) => foldName(candidate) === folded) ?? name;
}

/** Leaves out empty cells, and those with a word that means that there is no value. */
function readFields(pairs: readonly [string, string][], separator: Separator): Record<string, unknown> {
  const given = pairs.filter(([, cell]) => !isNothing(cell));
  const currency = given.find(([name]) => name === 'currency')?.[1] ?? 'USD';
  return Object.fromEntries(
    given.map(([name, cell]) => {
      assertNoFormulaError(cell, name);
      if (FIELDS[name] === asAmount) assertCurrencyOf(cell, name, currency);
      return [name, FIELDS[name]?.(cell, name, separator)];
    }),
  );
}

function assertUnnamedEmpty(names: readonly string[], cells: readonly string[]): void {
  const index = names.findIndex((name, at) => name === '' && cells[at] !== '');
  if (index === -1) return;
  throw invalidValue('', 'unnamed_column', `Column ${index + 1} has a value and no name. Name it in the first line or clear it.`);
}

function assertColumns(header: readonly string[], names: readonly string[], known: readonly string[]): void {
  const count = names.filter((name) => name !== '').length;
  const errors = count > known.length ? [tooMany(count, known.length)] : faultsOf(header, names, known);
  const [title] = known.filter((name) => name === 'title' || name === 'Job Title');
  if (errors.length === 0 && title && !names.includes(title)) {
    errors.push({ pointer: '', code: 'missing_column', message: `The first line names the columns, and "${title}" must be one.` });
  }
  if (errors.length > 0) throw new BrokenFileError(1, describe(errors, known), errors);
}

/** Names the known columns once, however many are wrong. */
function describe(errors: readonly FieldError[], known: readonly string[]): string {
  const more = errors.length - MAX_DESCRIBED;
  return [
    ...errors.slice(0, MAX_DESCRIBED).map(({ message }) => message),
    ...(more > 0 ? [`${more} more columns are wrong.`] : []),
    `Known columns: ${known.join(', ')}.`,
    ...(errors.some(({ code }) => code === 'unknown_column') ? ['The separator is a comma, a semicolon, a tab or "|".'] : []),
  ].join(' ');
}

function tooMany(count: number, max: number): FieldError {
  return { pointer: '', code: 'too_many_columns', message: `The first line has ${count} columns; at most ${max} are known.` };
}

function faultsOf(header: readonly string[], names: readonly string[], known: readonly string[]): FieldError[] {
  return names.flatMap((name, index) => {
    if (name === '') return [];
    if (!known.includes(name)) {
      return [{ pointer: `/${index}`, code: 'unknown_column', message: unknownName('column', header[index] ?? '', known) }];
    }
    if (names.indexOf(name) === index) return [];
    const message = `The column "${shown(header[index] ?? '')}" is there twice.`;
    return [{ pointer: `/${index}`, code: 'duplicate_column', message }];
  });
}
