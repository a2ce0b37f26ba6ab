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
export function choiceOf(cell: string): string {
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
