import { type AppError, invalidValue } from '../../platform/errors/app-error';
import { forDisplay } from '../../platform/http/validation/fields';
import { type Separator } from './csv-separator';
import { parseStrictJson } from '../../platform/http/validation/strict-json';

/**
 * Words by which spreadsheets, databases and data frames mark a missing value, and Excel's error "not available" in its
 * languages. `NA` is not among them: it is Namibia.
 */
const NOTHING = new RegExp(
  String.raw`^(?:nan|nat|null|\(null\)|none|nil|undefined|\\n|n\/a|n\.\s?a\.|k\.\s?a\.|<na>` +
    String.raw`|#(?:n\/a|n\/d!?|n\/b|nv|nd|н\/д|yok|hiányzik|saknas!|puuttuu!)|[-–—]+)$`,
  'iu',
);

/** Characters without a width, which exports add around texts of another direction. */
const INVISIBLE = /[\p{Cf}\s]/gu;

/** Limit of a word; longer cells are always texts. */
const MAX_WORD_LENGTH = 40;

/** The error of a formula, in any language: `#VALUE!`, `#WERT!`, `#ЗНАЧ!`, `#¡REF!`, `#DIV/0!`, `#NAME?`, `Err:502`. */
const FORMULA_ERROR =
  /^(?:#[¡¿]?[\p{Lu}\d/_.]{2,20}[!?]|#GETTING_DATA|(?:Err|Erreur|Errore|Fehler|Помилка|Ошибка|Błąd):\d{3})$/u;

/** The sign for a number in a column that is too narrow. */
const TOO_NARROW = /^#{3,}$/;

/** TRUE and FALSE of Excel and LibreOffice, yes and no, and check marks. */
const TRUE_WORDS =
  'true 1 yes y t on wahr ja vrai oui verdadero sí si vero verdadeiro sim waar sant sann sand prawda tak pravda ano ' +
  'igaz tosi doğru evet истина да істина так ✓ ✔ ☑ ✅';
const FALSE_WORDS =
  'false 0 no n f off falsch nein faux non falso não nao onwaar nee falskt usann falsk fałsz nie nepravda ne hamis ' +
  'epätosi yanlış hayır ложь нет хибність хиба ні ✗ ✘ ☐ ❌';

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...TRUE_WORDS.split(' ').map((word) => [word, true] as const),
  ...FALSE_WORDS.split(' ').map((word) => [word, false] as const),
]);

const CHOICES: ReadonlyMap<string, string> = new Map([
  ['fixedprice', 'fixed'],
  ['entrylevel', 'entry'],
  ['intermediatelevel', 'intermediate'],
  ['expertlevel', 'expert'],
]);

/** Returns true for an empty cell and for a word that marks a missing value. */
export function isNothing(cell: string): boolean {
  return cell.length <= MAX_WORD_LENGTH && (NOTHING.test(cell) || cell.replace(INVISIBLE, '') === '');
}

/** Returns true for the error of a formula and for the sign of a column that is too narrow. */
export function isSpreadsheetError(cell: string): boolean {
  return cell.length <= MAX_WORD_LENGTH && (FORMULA_ERROR.test(cell) || TOO_NARROW.test(cell));
}

/** Returns the boolean that a word means; undefined for another word. */
export function booleanOf(cell: string): boolean | undefined {
  // A variation selector may follow an emoji.
  return BOOLEANS.get(cell.replace(/\uFE0F$/, '').toLowerCase());
}

/** Returns the word of a list that a cell names, without regard to case, spaces and hyphens. */
export function asChoice(cell: string): string {
  const word = cell.toLowerCase();
  return CHOICES.get(word.length > MAX_WORD_LENGTH ? word : word.replace(/[\s_\p{Pd}]+/gu, '')) ?? word;
}

/** Returns the text of a cell. Excel writes `="0012"` for a text that must not become a number. */
export function textOfCell(cell: string): string {
  const text = cell.trim();
  const [, quoted] = /^="((?:[^"]|"")*)"$/.exec(text) ?? [];
  return quoted === undefined ? text : quoted.replaceAll('""', '"').trim();
}

/** Removes invisible characters and the apostrophe by which a spreadsheet marks a text. */
export function bareCell(cell: string): string {
  return cell
    .replace(/\p{Cf}/gu, '')
    .trim()
    .replace(/^['’]/, '')
    .trim();
}

/** A number with the sign or code of a currency before or after it. */
const AMOUNT = /^(?:([\p{Sc}\p{L}]{1,5}\.?)\s*)?(\d[\d.,'’\s]*)([\p{Sc}\p{L}]{1,5}\.?)?$/u;

/** Limit above the length of any amount. */
const MAX_CELL_LENGTH = 40;

/** Digits in groups of three, and up to two decimal places after the other mark. No group starts with 0. */
const GROUPED_BY_COMMA = /^[1-9]\d{0,2}(?:,\d{3})+(?:\.\d{1,2})?$/;
const GROUPED_BY_POINT = /^[1-9]\d{0,2}(?:\.\d{3})+(?:,\d{1,2})?$/;
const DECIMAL_COMMA = /^\d+,\d{1,2}$/;

/** `1,200` and `1.200`, which are 1200 or 1.2, depending on the country. */
const AMBIGUOUS = /^[1-9]\d{0,2}[.,]\d{3}$/;

/** Trailing zeros after the second decimal place, which databases write. */
const ZEROS_AFTER_CENTS = /^(\d+[.,]\d{2})0+$/;

/** White space and apostrophes between groups of three digits. */
const SPACED = /^[1-9]\d{0,2}(?:[\s'’]\d{3})+(?=[.,]\d{1,2}$|$)/;

/** The currencies of each sign. */
const CURRENCIES: ReadonlyMap<string, readonly string[]> = new Map([
  ['$', ['USD', 'CAD', 'AUD', 'NZD', 'SGD', 'HKD', 'MXN']],
  ['US$', ['USD']],
  ['C$', ['CAD']],
  ['CA$', ['CAD']],
  ['A$', ['AUD']],
  ['AU$', ['AUD']],
  ['R$', ['BRL']],
  ['€', ['EUR']],
  ['£', ['GBP']],
  ['₴', ['UAH']],
  ['ГРН', ['UAH']],
  ['¥', ['JPY', 'CNY']],
  ['₹', ['INR']],
  ['ZŁ', ['PLN']],
  ['KČ', ['CZK']],
  ['₺', ['TRY']],
]);

/**
 * Converts an amount of a spreadsheet to a decimal string: `$1,200.00`, `1.200,00 €` and `1 200,00` are `1200.00`.
 * Returns any other text unchanged, so that the field's validation refuses it.
 * @throws AppError `validation.failed` for an ambiguous amount
 */
export function asAmount(cell: string, name: string, separator: Separator): string {
  const [, before, digits, behind] = matchAmount(cell);
  if (digits === undefined || [before, behind].some((sign) => sign !== undefined && findCurrencies(sign).length === 0))
    return cell;
  const spaceless = digits.trim().replace(SPACED, (groups) => groups.replace(/[\s'’]/g, ''));
  // Programs that separate values by commas use a decimal point.
  if (AMBIGUOUS.test(spaceless) && !(separator === ',' && spaceless.includes(',')))
    throw createAmbiguousError(cell, name, spaceless);
  if (GROUPED_BY_COMMA.test(spaceless)) return spaceless.replaceAll(',', '');
  if (GROUPED_BY_POINT.test(spaceless)) return spaceless.replaceAll('.', '').replace(',', '.');
  const number = spaceless.replace(ZEROS_AFTER_CENTS, '$1');
  return DECIMAL_COMMA.test(number) ? number.replace(',', '.') : /^\d+(?:\.\d+)?$/.test(number) ? number : cell;
}

/**
 * Checks the sign of an amount against the code of its currency, which has a column of its own.
 * @throws AppError `validation.failed`
 */
export function assertCurrencyOf(
  cell: string,
  name: string,
  { column, code }: { readonly column: string; readonly code: string },
): void {
  const [, before, , behind] = matchAmount(cell);
  for (const sign of [before, behind]) {
    const meant = sign === undefined ? [] : findCurrencies(sign);
    if (meant.length === 0 || meant.includes(code.toUpperCase())) continue;
    const message =
      `${name} is in ${sign}, but the row's currency is ${forDisplay(code)}. ` +
      `Name the currency in a column "${column}".`;
    throw invalidValue(`/${name}`, 'currency_mismatch', message);
  }
}

/** Returns the currencies of a sign or a code; none for another word. */
function findCurrencies(sign: string): readonly string[] {
  const word = sign.toUpperCase().replace(/\.$/, '');
  return CURRENCIES.get(word) ?? (/^[A-Z]{3}$/.test(word) ? [word] : []);
}

/** Matches the sign before, the number and the sign after it, from index 1 on. */
function matchAmount(cell: string): readonly (string | undefined)[] {
  return cell.length > MAX_CELL_LENGTH ? [] : (AMOUNT.exec(cell) ?? []);
}

function createAmbiguousError(cell: string, name: string, number: string): Error {
  const whole = `${number.replace(/[.,]/, '')}.00`;
  const fraction = number.replace(',', '.').replace(/0$/, '');
  return invalidValue(
    `/${name}`,
    'ambiguous_amount',
    `${name} is "${cell}", which may mean ${whole} or ${fraction}. Write ${whole}.`,
  );
}

/** A function that converts a cell for the field of this name. It is not called for empty cells. */
export type CellReader = (cell: string, name: string, separator: Separator) => unknown;

/** Limit of values in a cell, as in a row of JSON. */
const MAX_CELL_VALUES = 10_000;

/** Limit of parts, far above the skills of a job, which count no empty parts and repetitions. */
const MAX_PARTS = 1_000;

/** Limit of a cell with quoted parts. */
const MAX_QUOTED_LENGTH = 10_000;

/** Separators of values in a cell, including line ends, bullets and the commas of other scripts. */
const PARTS = /[,;|\n\r\t\v\u2028\u2029•●▪‣，、；،]/u;

/** One quoted or plain part of a cell, with the separator after it. */
const QUOTED_PART = /(?: *"((?:[^"]|"")*)" *(?=[,;|\n\r\t]|$)|([^,;|\n\r\t]*))(?:[,;|\n\r\t]|$)/gy;

/** Limit of a cell that is checked for a number; no id is longer. */
const MAX_ID_LENGTH = 100;

const SCIENTIFIC = /^[+-]?\d[\d.,\s]*(?:e ?|[×x*] ?10 ?\^? ?)[+-]?\d+$/i;

/** A long number as a spreadsheet formats it, with groups of digits or decimal places. */
const NUMBERS_OF_SPREADSHEETS = [/^\d{1,3}(?:[.,\s'’]\d{3}){2,}(?:[.,]\d+)?$/, /^\d{9,}[.,]\d+$/];

/** A number rounded by a spreadsheet, which keeps 15 digits and fills the rest with zeros. */
const ROUNDED_NUMBER = /^\d{15}0{3,}$/;

/** Rejects the error of a formula and the `###` of a narrow column. @throws AppError `validation.failed` */
export function assertNoFormulaError(cell: string, name: string): void {
  if (!isSpreadsheetError(cell)) return;
  const reason = cell.startsWith('##')
    ? 'the sign of a column that is too narrow. Widen it'
    : 'the error of a formula. Correct the formula';
  throw invalidValue(`/${name}`, 'formula_error', `${name} is ${cell}, ${reason} or clear the cell.`);
}

export const asText: CellReader = (cell) => cell;

/** Reads a word, such as the code of a currency. */
export const asCode: CellReader = (cell) => cell;

/** Reads Upwork's id of a job. @throws AppError `validation.failed` when a spreadsheet has rounded it */
export const asId: CellReader = (cell, name) => {
  if (cell.length > MAX_ID_LENGTH) return cell;
  const plain = cell.normalize('NFKC');
  const isNumber =
    isScientific(plain) || ROUNDED_NUMBER.test(plain) || NUMBERS_OF_SPREADSHEETS.some((number) => number.test(plain));
  if (isNumber) throw roundedId(cell, name);
  return cell;
};

/** Returns true for an id in scientific notation. */
export function isScientific(id: string): boolean {
  return id.length <= MAX_ID_LENGTH && SCIENTIFIC.test(id);
}

/** Builds the error for an id that a spreadsheet has converted to a number. */
export function roundedId(id: string, name: string): AppError {
  const message =
    `${name} is ${forDisplay(id)}: a spreadsheet has converted it to a number. ` +
    'Format the column as text, paste the ids again and export it.';
  return invalidValue(`/${name}`, 'rounded_number', message);
}

/**
 * Reads TRUE or FALSE, also yes or no, 1 or 0, and their words in other languages.
 * @throws AppError `validation.failed`
 */
export const asBoolean: CellReader = (cell, name) => {
  const value = booleanOf(cell);
  if (value !== undefined) return value;
  throw invalidValue(`/${name}`, 'is_boolean', `${name} must be TRUE or FALSE (also yes or no, 1 or 0).`);
};

/** Reads a JSON array, an array of PostgreSQL, or values separated by commas, semicolons, lines or bullets. */
export const asList: CellReader = (cell, name) => {
  if (cell.startsWith('['))
    return parseJson(cell, name, `${name} is not a valid JSON array. Write the values with commas between them.`);
  const isArray = cell.startsWith('{') && cell.endsWith('}');
  return splitList(isArray ? cell.slice(1, -1) : cell, name).filter((part) => part !== '');
};

export const asJson: CellReader = (cell, name) => parseJson(cell, name, `${name} is not valid JSON`);

function parseJson(cell: string, name: string, message: string): unknown {
  try {
    return parseStrictJson(Buffer.from(cell), MAX_CELL_VALUES);
  } catch {
    throw invalidValue(`/${name}`, 'malformed_json', message);
  }
}

/**
 * Splits a cell at its separators and trims the parts. A part in double quotes may contain separators.
 * @throws AppError `validation.failed` for more than 1,000
 */
export function splitList(cell: string, name: string): string[] {
  const isQuoted = cell.includes('"') && cell.length <= MAX_QUOTED_LENGTH;
  const parts = isQuoted ? splitQuoted(cell) : cell.split(PARTS, MAX_PARTS + 1);
  if (parts.length > MAX_PARTS)
    throw invalidValue(`/${name}`, 'too_many_values', `${name} has more than ${MAX_PARTS} parts`);
  return parts.map((part) => part.trim());
}

function splitQuoted(cell: string): string[] {
  return [...cell.matchAll(QUOTED_PART)].flatMap(([, quoted, plain = '']) =>
    quoted === undefined ? plain.split(PARTS) : [quoted.replaceAll('""', '"')],
  );
}
