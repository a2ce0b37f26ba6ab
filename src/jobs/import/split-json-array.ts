import { BrokenFileError } from './import-row';

const BOM = [0xef, 0xbb, 0xbf];
const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [91, 93, 123, 125];

/**
 * Finds the elements of a JSON array in pieces of its text, without understanding them: only strings and brackets are
 * followed, so that one faulty element does not spoil the others, and nesting of any depth costs no stack. Holds no more
 * than one element, and of one longer than `maxBytes` only so much as shows that it is.
 */
export class JsonArraySplitter {
  private state: 'before' | 'within' | 'behind' = 'before';
  private pieces: Buffer[] = [];
  private bytes = 0;
  private depth = 0;
  private isInString = false;
  private isEscaped = false;
  private isBlank = true;
  private bomBytes = 0;
  private row = 1;

  constructor(private readonly maxBytes: number) {}

  /**
   * Yields the elements that end in this piece.
   * @throws BrokenFileError where the text is not an array, or goes on behind its end
   */
  *push(piece: Buffer): Generator<Buffer> {
    let start = 0;
    for (let at = 0; at < piece.length; at += 1) {
      if (this.state !== 'within') {
        this.passOutside(piece[at]!);
        start = at + 1;
        continue;
      }
      at = this.endOfElement(piece, at);
      if (at === piece.length) break;
      this.keep(piece.subarray(start, at));
      start = at + 1;
      yield* this.take(piece[at] === CLOSE_BRACKET);
    }
    if (this.state === 'within') this.keep(piece.subarray(start));
  }

  /** @throws BrokenFileError where the array has not ended */
  end(): void {
    if (this.state === 'behind') return;
    if (this.state === 'before') throw new BrokenFileError(1, 'the file is empty');
    throw new BrokenFileError(this.row, 'the array does not end; what follows here was not read');
  }

  /** Passes over what surrounds the array. */
  private passOutside(byte: number): void {
    if (isSpace(byte)) return;
    if (this.state === 'behind') throw new BrokenFileError(this.row, 'something follows the end of the array');
    if (byte === BOM[this.bomBytes]) this.bomBytes += 1;
    else if (byte === OPEN_BRACKET) this.state = 'within';
    else throw new BrokenFileError(1, 'the body must be a JSON array of jobs');
  }

  /** Returns the index of the comma or bracket that ends the element; the length of the piece without one. */
  private endOfElement(piece: Buffer, from: number): number {
    for (let at = from; at < piece.length; at += 1) {
      const byte = piece[at]!;
      if (this.isInString) this.passInString(byte);
      else if (byte === QUOTE) this.isInString = true;
      else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) this.depth += 1;
      else if (this.depth === 0 && (byte === COMMA || byte === CLOSE_BRACKET)) return at;
      else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) this.depth -= 1;
      if (this.isBlank && !isSpace(byte)) this.isBlank = false;
    }
    return piece.length;
  }

  private passInString(byte: number): void {
    if (this.isEscaped) this.isEscaped = false;
    else if (byte === BACKSLASH) this.isEscaped = true;
    else if (byte === QUOTE) this.isInString = false;
  }

  private keep(bytes: Buffer): void {
    if (this.bytes <= this.maxBytes) this.pieces.push(bytes.subarray(0, this.maxBytes + 1 - this.bytes));
    this.bytes += bytes.length;
  }

  private *take(isLast: boolean): Generator<Buffer> {
    const element = this.pieces.length === 1 ? this.pieces[0]! : Buffer.concat(this.pieces);
    const isNone = isLast && this.row === 1 && this.isBlank;
    [this.pieces, this.bytes, this.isBlank] = [[], 0, true];
    this.row += 1;
    if (isLast) this.state = 'behind';
    if (!isNone) yield element;
  }
}

function isSpace(byte: number): boolean {
  return byte === 32 || byte === 9 || byte === 10 || byte === 13;
}
