const OPENINGS = ['<think>', '<thinking>', '<thought>'];
const CLOSING = /<\/(?:think|thinking|thought)>/;

/** The longest closing mark less one character: so much of a thought may be its beginning. */
const TAIL_LENGTH = '</thinking>'.length - 1;

/** White space that may come before the mark. */
const MAX_LEADING_WHITE_SPACE = 100;

/**
 * Takes the thoughts out of an answer: servers of local models send them as text, between `<think>` and `</think>` at the
 * beginning. One per answer; pieces may be cut anywhere.
 */
export class ReasoningFilter {
  private state: 'start' | 'thought' | 'gap' | 'text' = 'start';
  private pending = '';

  /** Returns what of the next piece belongs to the text. */
  filter(chunk: string): string {
    if (this.state === 'text') return chunk;
    this.pending += chunk;
    if (this.state === 'start') this.findOpening();
    if (this.state === 'thought') this.skipReasoning();
    if (this.state === 'gap') this.skipGap();
    return this.isText() ? this.flush() : '';
  }

  /** Returns what was held back and is no thought. */
  flush(): string {
    const rest = this.state === 'thought' || this.state === 'gap' ? '' : this.pending;
    this.pending = '';
    return rest;
  }

  private isText(): boolean {
    return this.state === 'text';
  }

  private findOpening(): void {
    const begun = this.pending.trimStart();
    const opening = OPENINGS.find((mark) => begun.startsWith(mark));
    if (opening !== undefined) {
      this.state = 'thought';
      this.pending = begun.slice(opening.length);
    } else if (this.pending.length > MAX_LEADING_WHITE_SPACE || !OPENINGS.some((mark) => mark.startsWith(begun))) {
      this.state = 'text';
    }
  }

  private skipReasoning(): void {
    const closing = CLOSING.exec(this.pending);
    if (closing) this.state = 'gap';
    this.pending = closing ? this.pending.slice(closing.index + closing[0].length) : this.pending.slice(-TAIL_LENGTH);
  }

  private skipGap(): void {
    this.pending = this.pending.trimStart();
    if (this.pending !== '') this.state = 'text';
  }
}

/**
 * Makes the pieces of a vendor's text fit to be stored: NUL goes, and the halves of a character that two pieces share are
 * kept until they meet; a half that never meets its other becomes U+FFFD. One per text.
 */
export class StorableTextFilter {
  private pending = '';

  /** The next piece, ready to be stored and sent. */
  filter(chunk: string): string {
    const text = this.pending + chunk;
    const last = text.charCodeAt(text.length - 1);
    const isSplit = last >= 0xd800 && last <= 0xdbff;
    this.pending = isSplit ? text.slice(-1) : '';
    return removeInvalidCharacters(isSplit ? text.slice(0, -1) : text);
  }

  /** What was held back and will have no other half. */
  flush(): string {
    const rest = removeInvalidCharacters(this.pending);
    this.pending = '';
    return rest;
  }
}

function removeInvalidCharacters(text: string): string {
  // UTF-8 has no halves of characters.
  return Buffer.from(text.replaceAll('\0', '')).toString();
}
