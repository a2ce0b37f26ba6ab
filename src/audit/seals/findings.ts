/** Differences of which a report names the places. */
const MAX_NAMED = 1_000;

/** A difference between the logs and their seals. */
export interface Tampering {
  /** For example `audit_logs 42`, `seal 7` or `tile 0/3`. */
  readonly place: string;
  readonly problem: string;
}

/** The differences that a verification found: their number, and the first 1,000 of them. */
export class Findings {
  readonly named: Tampering[] = [];
  count = 0;

  report(place: string, problem: string): void {
    this.count += 1;
    if (this.named.length < MAX_NAMED) this.named.push({ place, problem });
  }
}
