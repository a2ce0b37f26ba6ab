/**
 * Makes the pieces of a vendor's text fit to be stored: NUL goes, and the halves of a character that two pieces share are
 * kept until they meet; a half that never meets its other becomes U+FFFD. One per text.
 */
export class StorableText {
  private held = '';

  /** The next piece, ready to be stored and sent. */
  next(piece: string): string {
    const text = this.held + piece;
    const last = text.charCodeAt(text.length - 1);
    const isSplit = last >= 0xd800 && last <= 0xdbff;
    this.held = isSplit ? text.slice(-1) : '';
    return clean(isSplit ? text.slice(0, -1) : text);
  }

  /** What was held back and will have no other half. */
  end(): string {
    const rest = clean(this.held);
    this.held = '';
    return rest;
  }
}

function clean(text: string): string {
  // UTF-8 has no halves of characters.
  return Buffer.from(text.replaceAll('\0', '')).toString();
}
