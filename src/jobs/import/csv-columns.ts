import { invalidValue, type FieldError } from '../../platform/errors/app-error';
import { parseStrictJson } from '../../platform/http/strict-json';
import { shown } from '../../platform/http/text';
import { BrokenFileError } from './import-row';
import { isUpworkListing, UPWORK_COLUMNS, readUpworkListing, splitSkills } from './upwork-listing';

/** How the cells of a row become a job's fields. */
export interface CsvColumns {
  /** Our field, or the listing's column, of each cell. */
  readonly names: readonly string[];
  /** @throws AppError `validation.failed` for a cell that does not have its column's form */
  read(cells: readonly string[]): Record<string, unknown>;
}

/** How a cell is read; an empty one is never asked. */
type CellReader = (cell: string, name: string) => unknown;

const asText: CellReader = (cell) => cell;

const FIELDS: Readonly<Record<string, CellReader>> = {
  upworkJobId: asText,
  title: asText,
  description: asText,
  budgetMin: asText,
  budgetMax: asText,
  hourlyRateMin: asText,
  hourlyRateMax: asText,
  currency: asText,
  skills: asSkills,
  category: asText,
  subcategory: asText,
  country: asText,
  clientInfo: asJson,
  jobType: asText,
  experienceLevel: asText,
  duration: asText,
  workload: asText,
  status: asText,
  isFavorite: asBoolean,
};

const MAX_COLUMNS = Object.keys(FIELDS).length;

/** Most values of a cell: as many as a row of JSON may have. */
const MAX_CELL_VALUES = 10_000;

/**
 * Returns how the rows under this header are read.
 * @throws BrokenFileError for a column that is unknown, empty or there twice, and for a header without a title
 */
export function columnsOf(header: readonly string[]): CsvColumns {
  if (isUpworkListing(header)) {
    assertColumns(header, header, UPWORK_COLUMNS);
    return { names: header, read: (cells) => readUpworkListing(Object.fromEntries(header.map((name, i) => [name, cells[i] ?? '']))) };
  }
  const names = header.length > MAX_COLUMNS ? header : header.map(toCamelCase);
  assertColumns(header, names, Object.keys(FIELDS));
  return { names, read: (cells) => Object.fromEntries(cells.flatMap((cell, index) => entryOf(names[index] ?? '', cell))) };
}

/** An empty cell says nothing. */
function entryOf(name: string, cell: string): [string, unknown][] {
  return cell === '' ? [] : [[name, FIELDS[name]?.(cell, name)]];
}

function assertColumns(header: readonly string[], names: readonly string[], known: readonly string[]): void {
  const errors = names.length > known.length ? [tooMany(names.length, known.length)] : faultsOf(header, names, known);
  const [title] = known.filter((name) => name === 'title' || name === 'Job Title');
  if (errors.length === 0 && title && !names.includes(title)) {
    errors.push({ pointer: '', code: 'missing_column', message: `the first line names the columns, and ${title} must be one` });
  }
  if (errors.length === 0) return;
  const hint = errors.some(({ code }) => code !== 'missing_column') ? `; known are ${known.join(', ')}` : '';
  throw new BrokenFileError(1, errors.map(({ message }) => message).join('; ') + hint, errors);
}

function tooMany(count: number, max: number): FieldError {
  return { pointer: '', code: 'too_many_columns', message: `the first line has ${count} columns, more than the ${max} there are` };
}

function faultsOf(header: readonly string[], names: readonly string[], known: readonly string[]): FieldError[] {
  return names.flatMap((name, index) => {
    const column = `column ${JSON.stringify(shown(header[index] ?? ''))}`;
    if (!known.includes(name)) return [{ pointer: `/${index}`, code: 'unknown_column', message: `${column} is unknown` }];
    if (names.indexOf(name) === index) return [];
    return [{ pointer: `/${index}`, code: 'duplicate_column', message: `${column} is there twice` }];
  });
}

function toCamelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** A JSON array, or values separated by commas. */
function asSkills(cell: string, name: string): unknown {
  if (cell.startsWith('[')) return asJson(cell, name);
  return splitSkills(cell).filter((skill) => skill !== '');
}

function asJson(cell: string, name: string): unknown {
  try {
    return parseStrictJson(Buffer.from(cell), MAX_CELL_VALUES);
  } catch {
    throw invalidValue(`/${name}`, 'malformed_json', `${name} is not valid JSON`);
  }
}

function asBoolean(cell: string): unknown {
  return cell === 'true' ? true : cell === 'false' ? false : cell;
}
