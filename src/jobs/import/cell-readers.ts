import { invalidValue, type AppError } from '../../platform/errors/app-error';
import { parseStrictJson } from '../../platform/http/strict-json';
import { shown } from '../../platform/http/text';
import { amountOfCell } from './cell-amount';
import type { Separator } from './csv-separator';
import { booleanOf, choiceOf, isSpreadsheetError } from './spreadsheet-words';

/** Returns a cell's value for the field of this name; an empty cell is not read. */
export type CellReader = (cell: string, name: string, separator: Separator) => unknown;

/** Most values of a cell: as many as a row of JSON may have. */
const MAX_CELL_VALUES = 10_000;

/** Far more than the skills of a job; empty parts and repeated skills do not count there. */
const MAX_PARTS = 1_000;

/** Longer cells have no quoted parts. */
const MAX_QUOTED_LENGTH = 10_000;

/** What separates skills in a cell: also line ends and bullets, and the commas of other scripts. */
const PARTS = /[,;|\n\r\t\v\u2028\u2029•●▪‣，、；،]/u;

/** One part of a cell in which a part may be quoted, with what separates it from the next. */
const QUOTED_PART = /(?: *"((?:[^"]|"")*)" *(?=[,;|\n\r\t]|$)|([^,;|\n\r\t]*))(?:[,;|\n\r\t]|$)/gy;

/** Longest cell that is looked at for a number: no id is longer. */
const MAX_ID_LENGTH = 100;

const SCIENTIFIC = /^[+-]?\d[\d.,\s]*(?:e ?|[×x*] ?10 ?\^? ?)[+-]?\d+$/i;

/** What else a spreadsheet makes of a long number: groups of digits, decimal places. */
const NUMBERS_OF_SPREADSHEETS = [/^\d{1,3}(?:[.,\s'’]\d{3}){2,}(?:[.,]\d+)?$/, /^\d{9,}[.,]\d+$/];

/** Spreadsheets keep 15 digits of a number; the others become zeros. */
const ROUNDED_NUMBER = /^\d{15}0{3,}$/;

/** @throws AppError `validation.failed` for a formula that failed, and for the `###` of a column that is too narrow */
export function assertNoFormulaError(cell: string, name: string): void {
  if (!isSpreadsheetError(cell)) return;
  const reason = cell.startsWith('##')
    ? 'which a column shows that is too narrow. Widen it'
    : 'the error of a formula. Correct the formula';
  throw invalidValue(`/${name}`, 'formula_error', `${name} is ${cell}, ${reason} or clear the cell.`);
}

export const asText: CellReader = (cell) => cell;

/** A word that is no text of its own, such as the code of a currency. */
export const asCode: CellReader = (cell) => cell;

export const asAmount: CellReader = amountOfCell;

/** Upwork's id of a vacancy. @throws AppError `validation.failed` when a spreadsheet has rounded it */
export const asId: CellReader = (cell, name) => {
  if (cell.length > MAX_ID_LENGTH) return cell;
  const plain = cell.normalize('NFKC');
  const isNumber =
    isScientific(plain) || ROUNDED_NUMBER.test(plain) || NUMBERS_OF_SPREADSHEETS.some((number) => number.test(plain));
  if (isNumber) throw roundedId(cell, name);
  return cell;
};

/** Whether an id is a number in scientific notation. */
export function isScientific(id: string): boolean {
  return id.length <= MAX_ID_LENGTH && SCIENTIFIC.test(id);
}

/** Returns the refusal of an id of which a spreadsheet has made a number. */
export function roundedId(id: string, name: string): AppError {
  const message = `${name} is ${shown(id)}: a spreadsheet has made a number of it. Format the column as text, paste the ids again and export it.`;
  return invalidValue(`/${name}`, 'rounded_number', message);
}

/** A word of a list, in any case. */
export const asChoice: CellReader = choiceOf;

export const asBoolean: CellReader = (cell, name) => {
  const value = booleanOf(cell);
  if (value !== undefined) return value;
  throw invalidValue(`/${name}`, 'is_boolean', `${name} must be TRUE or FALSE (also yes or no, 1 or 0).`);
};

/** A JSON array, an array of PostgreSQL, or values separated by commas, semicolons, lines or bullets. */
export const asSkills: CellReader = (cell, name) => {
  if (cell.startsWith('['))
    return jsonOf(cell, name, `${name} is not a valid JSON array. Write the values with commas between them.`);
  const isArray = cell.startsWith('{') && cell.endsWith('}');
  return splitSkills(isArray ? cell.slice(1, -1) : cell).filter((skill) => skill !== '');
};

export const asJson: CellReader = (cell, name) => jsonOf(cell, name, `${name} is not valid JSON`);

function jsonOf(cell: string, name: string, message: string): unknown {
  try {
    return parseStrictJson(Buffer.from(cell), MAX_CELL_VALUES);
  } catch {
    throw invalidValue(`/${name}`, 'malformed_json', message);
  }
}

/**
 * Returns the parts of a cell between its separators, trimmed. A part in double quotes may hold separators.
 * @throws AppError `validation.failed` for more than 1,000
 */
export function splitSkills(cell: string): string[] {
  const isQuoted = cell.includes('"') && cell.length <= MAX_QUOTED_LENGTH;
  const parts = isQuoted ? quotedParts(cell) : cell.split(PARTS, MAX_PARTS + 1);
  if (parts.length > MAX_PARTS)
    throw invalidValue('/skills', 'too_many_values', `skills has more than ${MAX_PARTS} parts`);
  return parts.map((part) => part.trim());
}

function quotedParts(cell: string): string[] {
  return [...cell.matchAll(QUOTED_PART)].flatMap(([, quoted, plain = '']) =>
    quoted === undefined ? plain.split(PARTS) : [quoted.replaceAll('""', '"')],
  );
}
