import { type AppError, invalidValue } from '../../platform/errors/app-error';
import { forDisplay } from '../../platform/http/validation/text';
import { type Separator } from './csv-separator';
import { parseStrictJson } from '../../platform/http/validation/strict-json';

/**
 * How spreadsheets, databases and data frames write that there is no value, and the error "not available" in the languages
 * of Excel. `NA` is not one of them: it is Namibia.
 */
const NOTHING =
  /^(?:nan|nat|null|\(null\)|none|nil|undefined|\\n|n\/a|n\.\s?a\.|k\.\s?a\.|<na>|#(?:n\/a|n\/d!?|n\/b|nv|nd|н\/д|yok|hiányzik|saknas!|puuttuu!)|[-–—]+)$/iu;

/** Characters without a width, which exports put around texts of another direction. */
const INVISIBLE = /[\p{Cf}\s]/gu;

/** Longer cells are texts, whatever they hold. */
const MAX_WORD_LENGTH = 40;

/** A formula that failed, in any language: `#VALUE!`, `#WERT!`, `#ЗНАЧ!`, `#¡REF!`, `#DIV/0!`, `#NAME?`, `Err:502`. */
const FORMULA_ERROR =
  /^(?:#[¡¿]?[\p{Lu}\d/_.]{2,20}[!?]|#GETTING_DATA|(?:Err|Erreur|Errore|Fehler|Помилка|Ошибка|Błąd):\d{3})$/u;

/** What a column that is too narrow shows in place of a number. */
const TOO_NARROW = /^#{3,}$/;

/** TRUE and FALSE of Excel and LibreOffice, yes and no, and check marks. */
const TRUE_WORDS =
  'true 1 yes y t on wahr ja vrai oui verdadero sí si vero verdadeiro sim waar sant sann sand prawda tak pravda ano igaz tosi doğru evet истина да істина так ✓ ✔ ☑ ✅';
const FALSE_WORDS =
  'false 0 no n f off falsch nein faux non falso não nao onwaar nee falskt usann falsk fałsz nie nepravda ne hamis epätosi yanlış hayır ложь нет хибність хиба ні ✗ ✘ ☐ ❌';

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

/** Whether the cell has no value, or a word that spreadsheets write for none. */
export function isNothing(cell: string): boolean {
  return cell.length <= MAX_WORD_LENGTH && (NOTHING.test(cell) || cell.replace(INVISIBLE, '') === '');
}

/** Whether the cell is the error of a formula, or the sign of a column that is too narrow. */
export function isSpreadsheetError(cell: string): boolean {
  return cell.length <= MAX_WORD_LENGTH && (FORMULA_ERROR.test(cell) || TOO_NARROW.test(cell));
}

/** Returns what a word of a cell means as a boolean; undefined for another word. */
export function booleanOf(cell: string): boolean | undefined {
  // Emoji may have a variation selector behind them.
  return BOOLEANS.get(cell.replace(/\uFE0F$/, '').toLowerCase());
}

/** Returns the word of a list that a cell names, whatever its case, its spaces and its hyphens. */
export function asChoice(cell: string): string {
  const word = cell.toLowerCase();
  return CHOICES.get(word.length > MAX_WORD_LENGTH ? word : word.replace(/[\s_\p{Pd}]+/gu, '')) ?? word;
}

/** Returns the text of a cell: Excel writes `="0012"` for a text that must not become a number. */
export function textOfCell(cell: string): string {
  const text = cell.trim();
  const [, quoted] = /^="((?:[^"]|"")*)"$/.exec(text) ?? [];
  return quoted === undefined ? text : quoted.replaceAll('""', '"').trim();
}

/** Returns the cell of a number or a word without the apostrophe that makes it a text, and without invisible characters. */
export function bareCell(cell: string): string {
  return cell
    .replace(/\p{Cf}/gu, '')
    .trim()
    .replace(/^['’]/, '')
    .trim();
}

/** A sign or a code of a currency before or behind a number. */
const AMOUNT = /^(?:([\p{Sc}\p{L}]{1,5}\.?)\s*)?(\d[\d.,'’\s]*)([\p{Sc}\p{L}]{1,5}\.?)?$/u;

/** Longer than any amount with its sign and its groups. */
const MAX_CELL_LENGTH = 40;

/** Digits in groups of three, and up to two decimal places behind the other mark. No group begins with 0. */
const GROUPED_BY_COMMA = /^[1-9]\d{0,2}(?:,\d{3})+(?:\.\d{1,2})?$/;
const GROUPED_BY_POINT = /^[1-9]\d{0,2}(?:\.\d{3})+(?:,\d{1,2})?$/;
const DECIMAL_COMMA = /^\d+,\d{1,2}$/;

/** `1,200` and `1.200`: 1200 in one country, 1.2 in another. */
const AMBIGUOUS = /^[1-9]\d{0,2}[.,]\d{3}$/;

/** Databases write more decimal places than money has; zeros there say nothing. */
const ZEROS_BEHIND_CENTS = /^(\d+[.,]\d{2})0+$/;

/** White space and apostrophes between groups of three digits. */
const SPACED = /^[1-9]\d{0,2}(?:[\s'’]\d{3})+(?=[.,]\d{1,2}$|$)/;

/** The currencies that a sign may mean. */
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
 * Returns an amount of a spreadsheet as a decimal string: `$1,200.00`, `1.200,00 €` and `1 200,00` are `1200.00`. Other
 * text is returned as it is, for the rule of the field to refuse.
 * @throws AppError `validation.failed` for one that may be read in two ways
 */
export function asAmount(cell: string, name: string, separator: Separator): string {
  const [, before, digits, behind] = partsOf(cell);
  if (digits === undefined || [before, behind].some((sign) => sign !== undefined && currenciesOf(sign).length === 0))
    return cell;
  const spaceless = digits.trim().replace(SPACED, (groups) => groups.replace(/[\s'’]/g, ''));
  // Only programs with a decimal point separate by commas.
  if (AMBIGUOUS.test(spaceless) && !(separator === ',' && spaceless.includes(',')))
    throw ambiguous(cell, name, spaceless);
  if (GROUPED_BY_COMMA.test(spaceless)) return spaceless.replaceAll(',', '');
  if (GROUPED_BY_POINT.test(spaceless)) return spaceless.replaceAll('.', '').replace(',', '.');
  const number = spaceless.replace(ZEROS_BEHIND_CENTS, '$1');
  return DECIMAL_COMMA.test(number) ? number.replace(',', '.') : /^\d+(?:\.\d+)?$/.test(number) ? number : cell;
}

/**
 * Checks the sign of an amount against the row's currency.
 * @throws AppError `validation.failed`
 */
export function assertCurrencyOf(cell: string, name: string, currency: string): void {
  const [, before, , behind] = partsOf(cell);
  for (const sign of [before, behind]) {
    const meant = sign === undefined ? [] : currenciesOf(sign);
    if (meant.length === 0 || meant.includes(currency.toUpperCase())) continue;
    const message = `${name} is in ${sign}, but the row's currency is ${forDisplay(currency)}. Name the currency in a column "currency".`;
    throw invalidValue(`/${name}`, 'currency_mismatch', message);
  }
}

/** Returns the currencies that a sign or a code may mean; none for another word. */
function currenciesOf(sign: string): readonly string[] {
  const word = sign.toUpperCase().replace(/\.$/, '');
  return CURRENCIES.get(word) ?? (/^[A-Z]{3}$/.test(word) ? [word] : []);
}

/** Returns the sign before, the number and the sign behind, from index 1 on. */
function partsOf(cell: string): readonly (string | undefined)[] {
  return cell.length > MAX_CELL_LENGTH ? [] : (AMOUNT.exec(cell) ?? []);
}

function ambiguous(cell: string, name: string, number: string): Error {
  const whole = `${number.replace(/[.,]/, '')}.00`;
  const fraction = number.replace(',', '.').replace(/0$/, '');
  return invalidValue(
    `/${name}`,
    'ambiguous_amount',
    `${name} is "${cell}", which may mean ${whole} or ${fraction}. Write ${whole}.`,
  );
}

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
  const message = `${name} is ${forDisplay(id)}: a spreadsheet has made a number of it. Format the column as text, paste the ids again and export it.`;
  return invalidValue(`/${name}`, 'rounded_number', message);
}

/** A word of a list, in any case. */

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
