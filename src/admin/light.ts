/** How well something is: OK, a warning, failing, or not known because nobody could look. */
export type Level = 'good' | 'warn' | 'bad' | 'unknown';

/** One light of the dashboard. */
export interface Light {
  readonly name: string;
  readonly level: Level;
  /** What is measured; when not well, the reason. */
  readonly text: string;
  /** The page that shows more. */
  readonly href: string;
}
