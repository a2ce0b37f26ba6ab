/** The result of one check: one line of the output. */
export interface Finding {
  readonly level: 'ok' | 'warning' | 'problem';
  /** What was checked, in one or two words. */
  readonly subject: string;
  /** What is wrong, or the state when nothing is. Never a secret. */
  readonly detail: string;
  /** A command or a change of a setting; absent when nothing is wrong. */
  readonly cure?: string;
}

/** Returns a finding without a fault. */
export function ok(subject: string, detail: string): Finding {
  return { level: 'ok', subject, detail };
}

/** Returns a finding that does not prevent the start. */
export function warning(subject: string, detail: string, cure: string): Finding {
  return { level: 'warning', subject, detail, cure };
}

/** Returns a finding that prevents the start, or loses or blocks data. */
export function problem(subject: string, detail: string, cure: string): Finding {
  return { level: 'problem', subject, detail, cure };
}

/** Formats a finding as one line. */
export function formatFinding({ level, subject, detail, cure }: Finding): string {
  const line = `${level.padEnd(8)} ${subject.padEnd(12)} ${detail}`;
  return cure === undefined ? line : `${line}. Cure: ${cure}`;
}

/** Formats the last line: the number of problems and warnings. */
export function formatSummary(findings: readonly Finding[]): string {
  const [problems, warnings] = (['problem', 'warning'] as const).map(
    (wanted) => findings.filter(({ level }) => level === wanted).length,
  );
  if (problems === 0 && warnings === 0) return 'Nothing is wrong.';
  return `Problems: ${problems}, warnings: ${warnings}.`;
}
