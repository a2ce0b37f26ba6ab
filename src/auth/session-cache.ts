import type { LiveSession } from './session-record';

/** After so long a session is asked for again, whatever was heard: with pub/sub lost an ended one dies by this. */
const MAX_AGE_MS = 900;
const MAX_ENTRIES = 20_000;

interface Entry {
  readonly loadedAt: number;
  readonly session: Promise<LiveSession | null>;
}

/** What this process knows of sessions: answers for under a second, and parallel questions for one session once. */
export class SessionCache {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly now = (): number => Date.now()) {}

  /** The remembered answer, or what `load` answers now; a failed load is not remembered. */
  get(sessionId: string, load: () => Promise<LiveSession | null>): Promise<LiveSession | null> {
    const known = this.entries.get(sessionId);
    if (known && this.now() - known.loadedAt < MAX_AGE_MS) return known.session;
    this.entries.delete(sessionId);
    if (this.entries.size >= MAX_ENTRIES) this.dropOldest();
    const entry = { loadedAt: this.now(), session: load() };
    this.entries.set(sessionId, entry);
    entry.session.catch(() => {
      if (this.entries.get(sessionId) === entry) this.entries.delete(sessionId);
    });
    return entry.session;
  }

  /** Forgets a session. */
  drop(sessionId: string): void {
    this.entries.delete(sessionId);
  }

  /** Forgets all. */
  clear(): void {
    this.entries.clear();
  }

  /** A Map keeps the order of insertion, so the first key is the oldest. */
  private dropOldest(): void {
    const [oldest] = this.entries.keys();
    if (oldest !== undefined) this.entries.delete(oldest);
  }
}
