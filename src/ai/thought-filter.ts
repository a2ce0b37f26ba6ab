const OPENINGS = ['<think>', '<thinking>', '<thought>'];
const CLOSING = /<\/(?:think|thinking|thought)>/;

/** The longest closing mark less one character: so much of a thought may be its beginning. */
const KEPT = '</thinking>'.length - 1;

/** White space that may come before the mark. */
const MAX_BEFORE = 100;

/**
 * Takes the thoughts out of an answer: servers of local models send them as text, between `<think>` and `</think>` at the
 * beginning. One per answer; pieces may be cut anywhere.
 */
export class ThoughtFilter {
  private state: 'start' | 'thought' | 'gap' | 'text' = 'start';
  private held = '';

  /** Returns what of the next piece belongs to the text. */
  next(piece: string): string {
    if (this.state === 'text') return piece;
    this.held += piece;
    if (this.state === 'start') this.start();
    if (this.state === 'thought') this.think();
    if (this.state === 'gap') this.skipGap();
    return this.isText() ? this.end() : '';
  }

  /** Returns what was held back and is no thought. */
  end(): string {
    const rest = this.state === 'thought' || this.state === 'gap' ? '' : this.held;
    this.held = '';
    return rest;
  }

  private isText(): boolean {
    return this.state === 'text';
  }

  private start(): void {
    const begun = this.held.trimStart();
    const opening = OPENINGS.find((mark) => begun.startsWith(mark));
    if (opening !== undefined) {
      this.state = 'thought';
      this.held = begun.slice(opening.length);
    } else if (this.held.length > MAX_BEFORE || !OPENINGS.some((mark) => mark.startsWith(begun))) {
      this.state = 'text';
    }
  }

  private think(): void {
    const closing = CLOSING.exec(this.held);
    if (closing) this.state = 'gap';
    this.held = closing ? this.held.slice(closing.index + closing[0].length) : this.held.slice(-KEPT);
  }

  private skipGap(): void {
    this.held = this.held.trimStart();
    if (this.held !== '') this.state = 'text';
  }
}
