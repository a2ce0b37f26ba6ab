import type { CellReader } from './cell-readers';

/** A whole number with groups of three digits, and the empty decimal places that data frames add: `1,200`, `12.0`. */
const INTEGER = /^(\d{1,3}(?:[,\s'’]\d{3})+|\d+)(?:\.0+)?$/;

/** A number with a decimal point or comma. */
const DECIMAL = /^(\d+)(?:[.,](\d+))?$/;

/** An instant of RFC 3339, with the spellings of Upwork (`+0000`) and PostgreSQL (a space, `+00`). */
const INSTANT = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?) ?(Z|[+-]\d{2}):?(\d{2})?$/i;

/** Limit above the length of any number or time. */
const MAX_LENGTH = 40;

/** Reads a whole number. Another text is returned unchanged, so that the field's validation rejects it. */
export const asInteger: CellReader = (cell) => {
  const [, digits] = match(INTEGER, cell);
  return digits === undefined ? cell : Number(digits.replace(/\D/g, ''));
};

/** Reads a number with decimal places. Another text is returned unchanged. */
export const asDecimal: CellReader = (cell) => {
  const [, whole, places = '0'] = match(DECIMAL, cell);
  return whole === undefined ? cell : Number(`${whole}.${places}`);
};

/** Reads an instant with its zone and returns it as RFC 3339. Another text is returned unchanged. */
export const asInstant: CellReader = (cell) => {
  const [, day, time, zone, minutes = '00'] = match(INSTANT, cell);
  if (day === undefined || time === undefined || zone === undefined) return cell;
  return `${day}T${time}${zone.toUpperCase() === 'Z' ? 'Z' : `${zone}:${minutes}`}`;
};

/** Reads a day, also from an instant. Another text is returned unchanged. */
export const asDay: CellReader = (cell) => match(INSTANT, cell)[1] ?? cell;

function match(pattern: RegExp, cell: string): readonly (string | undefined)[] {
  return cell.length > MAX_LENGTH ? [] : (pattern.exec(cell) ?? []);
}
