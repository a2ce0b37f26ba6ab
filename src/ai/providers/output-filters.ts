const OPENINGS = ['<think>', '<thinking>', '<thought>'];
const CLOSING = /<\/(?:think|thinking|thought)>/;

/** Characters kept while skipping reasoning: they may be the beginning of a closing tag. */
const TAIL_LENGTH = '</thinking>'.length - 1;

/** Maximum white space before the opening tag. */
const MAX_LEADING_WHITE_SPACE = 100;

/**
 * Removes reasoning from an answer. Servers of local models send it as text between `<think>` and `</think>` at the
 * beginning. One instance per answer; chunks may be split anywhere.
 */
export class ReasoningFilter {
  private state: 'start' | 'thought' | 'gap' | 'text' = 'start';
  private pending = '';

  /** Returns the part of a chunk that is not reasoning. */
  filter(chunk: string): string {
    if (this.state === 'text') return chunk;
    this.pending += chunk;
    if (this.state === 'start') this.findOpening();
    if (this.state === 'thought') this.skipReasoning();
    if (this.state === 'gap') this.skipGap();
    return this.isText() ? this.flush() : '';
  }

  /** Returns pending text that turned out not to be reasoning. */
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
 * Makes chunks safe to store in PostgreSQL: removes NUL and joins surrogate pairs split across two chunks. Unpaired
 * surrogates become U+FFFD. One instance per text.
 */
export class StorableTextFilter {
  private pending = '';

  /** Returns the storable part of the next chunk. */
  filter(chunk: string): string {
    const text = this.pending + chunk;
    const last = text.charCodeAt(text.length - 1);
    const isSplit = last >= 0xd800 && last <= 0xdbff;
    this.pending = isSplit ? text.slice(-1) : '';
    return removeInvalidCharacters(isSplit ? text.slice(0, -1) : text);
  }

  /** Returns the pending surrogate as U+FFFD. */
  flush(): string {
    const rest = removeInvalidCharacters(this.pending);
    this.pending = '';
    return rest;
  }
}

function removeInvalidCharacters(text: string): string {
  // UTF-8 cannot encode unpaired surrogates: Buffer replaces them with U+FFFD.
  return Buffer.from(text.replaceAll('\0', '')).toString();
}
