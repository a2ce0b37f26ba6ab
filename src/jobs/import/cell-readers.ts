import { invalidValue } from '../../platform/errors/app-error';
import { parseStrictJson } from '../../platform/http/strict-json';
import { shown } from '../../platform/http/text';
import { amountOfCell } from './cell-amount';
import type { Separator } from './csv-separator';

/** Returns a cell's value for the field of this name; an empty cell is not read. */
export type CellReader = (cell: string, name: string, separator: Separator) => unknown;

/** Most values of a cell: as many as a row of JSON may have. */
const MAX_CELL_VALUES = 10_000;

/** Far more than the skills of a job; empty parts and repeated skills do not count there. */
const MAX_PARTS = 1_000;

/** How spreadsheets, databases and data frames write that there is no value. `NA` is not one of them: it is Namibia. */
const NOTHING = /^(?:nan|null|none|nil|n\/a|#n\/a|<na>|[-–—]+)$/i;

/** A formula that failed. */
const FORMULA_ERROR = /^#(?:REF!|VALUE!|NAME\?|DIV\/0!|NUM!|NULL!|SPILL!|CALC!|GETTING_DATA|ERROR!)$/i;

/** A number in scientific notation, or with decimal places of zeros. */
const NUMBER_OF_SPREADSHEET = /^[+-]?\d+(?:[.,]\d+)?e[+-]?\d+$|^\d{9,}[.,]0+$/i;

/** Spreadsheets keep 15 digits of a number; the others become zeros. */
const ROUNDED_NUMBER = /^\d{15}0{3,}$/;

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['true', 'yes', 'y', '1'].map((word) => [word, true] as const),
  ...['false', 'no', 'n', '0'].map((word) => [word, false] as const),
]);

const CHOICES: ReadonlyMap<string, string> = new Map([
  ['fixed price', 'fixed'],
  ['fixed-price', 'fixed'],
  ['entry level', 'entry'],
]);

/** Whether the cell has no value, or a word that spreadsheets write for none. */
export function isNothing(cell: string): boolean {
  return cell === '' || NOTHING.test(cell);
}

/** @throws AppError `validation.failed` for a formula that failed */
export function assertNoFormulaError(cell: string, name: string): void {
  if (!FORMULA_ERROR.test(cell)) return;
  throw invalidValue(`/${name}`, 'formula_error', `${name} is the error ${cell} of a formula. Correct the formula or clear the cell.`);
}

export const asText: CellReader = (cell) => cell;

export const asAmount: CellReader = amountOfCell;

/** Upwork's id of a vacancy. @throws AppError `validation.failed` when a spreadsheet has rounded it */
export const asId: CellReader = (cell, name) => {
  if (!NUMBER_OF_SPREADSHEET.test(cell) && !ROUNDED_NUMBER.test(cell)) return cell;
  throw invalidValue(
    `/${name}`,
    'rounded_number',
    `${name} is ${shown(cell)}: a spreadsheet has rounded it. Format the column as text, paste the ids again and export it.`,
  );
};

/** A word of a list, in any case. */
export const asChoice: CellReader = (cell) => {
  const word = cell.toLowerCase();
  return CHOICES.get(word) ?? word;
};

export const asBoolean: CellReader = (cell, name) => {
  const value = BOOLEANS.get(cell.toLowerCase());
  if (value !== undefined) return value;
  throw invalidValue(`/${name}`, 'is_boolean', `${name} must be TRUE or FALSE (also yes or no, 1 or 0).`);
};

/** A JSON array, or values separated by commas, semicolons or lines. */
export const asSkills: CellReader = (cell, name, separator) => {
  if (cell.startsWith('[')) return asJson(cell, name, separator);
  return splitSkills(cell).filter((skill) => skill !== '');
};

export const asJson: CellReader = (cell, name) => {
  try {
    return parseStrictJson(Buffer.from(cell), MAX_CELL_VALUES);
  } catch {
    throw invalidValue(`/${name}`, 'malformed_json', `${name} is not valid JSON`);
  }
};

/**
 * Returns the parts of a cell between its commas, semicolons and line ends, trimmed.
 * @throws AppError `validation.failed` for more than 1,000
 */
export function splitSkills(cell: string): string[] {
  const parts = cell.split(/[,;\n]/, MAX_PARTS + 1);
  if (parts.length > MAX_PARTS) throw invalidValue('/skills', 'too_many_values', `skills has more than ${MAX_PARTS} parts`);
  return parts.map((part) => part.trim());
}
