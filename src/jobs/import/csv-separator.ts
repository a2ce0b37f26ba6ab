import { BrokenFileError } from './import-row';

/** Accepted separators. The first is the default for a header without any. */
const SEPARATORS = [',', ';', '\t', '|'] as const;

/** The character between two values of a row. */
export type Separator = (typeof SEPARATORS)[number];

/** Limit above any accepted header. */
const MAX_HEAD_BYTES = 16_384;

/** The first line by which Excel names the separator. */
const SEP_LINE = /^"?sep=([^\r\n])"?[,;|\t ]*(?:\r\n|\r|\n|$)/i;

/** Lines without a value: white space and separators. */
const BLANK_LINES = /^[\s,;|]*[\r\n]/;

/** A CSV file whose separator is known. */
export interface SeparatedText {
  readonly separator: Separator;
  /** The text from the header to the end. */
  readonly text: AsyncIterable<Buffer>;
  /** Lines before `text`. */
  readonly linesBefore: number;
}

/**
 * Finds the separator: the one that a first line `sep=;` names, or the most frequent one in the header.
 * @throws BrokenFileError for a `sep=` line that names another character
 */
export async function separate(text: AsyncIterable<Buffer>): Promise<SeparatedText> {
  const chunks = text[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
    head = Buffer.concat([head, next.value]);
    if (head.length >= MAX_HEAD_BYTES) break;
  }
  // In latin1 one byte is one character, so offsets in the text equal those in the bytes.
  const start = head.toString('latin1', 0, MAX_HEAD_BYTES);
  const [sepLine = '', named] = SEP_LINE.exec(start) ?? [];
  const [blank = ''] = BLANK_LINES.exec(start.slice(sepLine.length)) ?? [];
  const before = sepLine + blank;
  return {
    separator: named === undefined ? findMostFrequent(start.slice(before.length)) : parseSeparator(named),
    text: joinChunks(head.subarray(before.length), chunks),
    linesBefore: countLineEnds(before),
  };
}

/** Returns the number of line ends. */
export function countLineEnds(text: string): number {
  return text.match(/\r\n|\r|\n/g)?.length ?? 0;
}

async function* joinChunks(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield head;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

function parseSeparator(named: string): Separator {
  const separator = SEPARATORS.find((known) => known === named);
  if (separator) return separator;
  const message = `sep= names ${JSON.stringify(named)}. Separate the values by a comma, a semicolon, a tab or "|".`;
  throw new BrokenFileError(1, message);
}

function findMostFrequent(text: string): Separator {
  const header = text.replace(/"[^"]*"/g, '').split(/[\r\n]/, 1)[0] ?? '';
  const counts = SEPARATORS.map((separator) => header.split(separator).length);
  return SEPARATORS[counts.indexOf(Math.max(...counts))] ?? ',';
}
