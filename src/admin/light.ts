/** How well something is: well, to be looked at, or broken. */
export type Level = 'good' | 'warn' | 'bad';

/** One light of the dashboard. */
export interface Light {
  readonly name: string;
  readonly level: Level;
  /** What is measured; when not well, the reason. */
  readonly text: string;
  /** The page that shows more. */
  readonly href: string;
}
