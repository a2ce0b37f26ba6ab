import type { TokenSubject } from './access-tokens.service';

/** About 8 MB of tokens; past it the oldest is verified anew at its next use. */
const MAX_ENTRIES = 10_000;

interface Entry {
  readonly subject: TokenSubject;
  /** In seconds since 1970, as the token says it. */
  readonly expiresAt: number;
}

/**
 * Remembers access tokens whose signature and claims were found good, until they expire: a caller sends the same one for
 * a quarter of an hour, and its signature does not change. That its session lives is asked with every request.
 */
export class VerifiedTokens {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly now: () => number = Date.now) {}

  /** The subject of a token that was found good and has not expired. */
  recall(token: string): TokenSubject | undefined {
    const entry = this.entries.get(token);
    if (!entry) return undefined;
    if (Math.floor(this.now() / 1000) < entry.expiresAt) return entry.subject;
    this.entries.delete(token);
    return undefined;
  }

  /** Notes a token that was found good. */
  keep(token: string, subject: TokenSubject, expiresAt: number): void {
    if (this.entries.size >= MAX_ENTRIES) this.dropOldest();
    this.entries.set(token, { subject, expiresAt });
  }

  /** A Map keeps the order of insertion, so the first key is the oldest. */
  private dropOldest(): void {
    const [oldest] = this.entries.keys();
    if (oldest !== undefined) this.entries.delete(oldest);
  }
}
