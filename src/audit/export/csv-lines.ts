/** Spreadsheets take a cell that begins like this for a formula, in some languages also after full-width signs. */
const FORMULA = /^[\t\r\n]|^\s*[=+\-@＝＋－＠]/;

/** By this mark spreadsheets recognize UTF-8. */
export const BYTE_ORDER_MARK = '\ufeff';

type Cell = string | number | boolean | null;

/**
 * Returns one line of CSV. An apostrophe before a text that looks like a formula keeps spreadsheets from running it.
 * @see RFC 4180
 * @see https://owasp.org/www-community/attacks/CSV_Injection
 */
export function formatCsvLine(cells: readonly Cell[]): string {
  return `${cells.map(formatCell).join(',')}\r\n`;
}

function formatCell(value: Cell): string {
  if (typeof value !== 'string') return String(value ?? '');
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
