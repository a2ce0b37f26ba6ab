/** Past this many texts something builds SQL from values; those run unnamed rather than fill the server's memory. */
const MOST_NAMES = 500;

const names = new Map<string, string>();

/**
 * The name under which a statement's text is prepared on each connection, or undefined once 500 texts have one. A named
 * statement is parsed and planned once a connection, which a third of a short read's time goes to otherwise.
 */
export function statementName(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined) return known;
  if (names.size >= MOST_NAMES) return undefined;
  const name = `gv${names.size + 1}`;
  names.set(text, name);
  return name;
}

const WRITES = /\b(?:INSERT INTO|(?<!FOR (?:NO KEY )?)UPDATE|DELETE FROM|MERGE INTO)\b/i;

/** Whether a statement's text says that it writes. What a function that it calls may write is not seen. */
export function isWriting(text: string): boolean {
  return WRITES.test(text);
}
