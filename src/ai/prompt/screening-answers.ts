/** Line of a draft after which its answers to screening questions begin. */
export const ANSWERS_HEADING = 'Screening answers:';

/** Number of an answer, and its text. */
const ANSWER = /^(\d{1,2})\.[ \t](.+)$/;

/** Parts of a draft. */
interface DraftParts {
  /** The letter without the answers. */
  readonly letter: string;
  /** The answers in the order of the questions; empty for a question that the draft does not answer. */
  readonly answers: readonly string[];
}

/** Splits a draft into its letter and its answers. A draft without the heading has no answers. */
export function splitScreeningAnswers(text: string): DraftParts {
  const lines = text.split('\n');
  const heading = lines.findIndex((line) => line.replace(/[*#]/g, '').trim() === ANSWERS_HEADING);
  if (heading < 0) return { letter: text, answers: [] };
  const answers: string[] = [];
  for (const line of lines.slice(heading + 1)) {
    const [, number, answer] = ANSWER.exec(line.trim()) ?? [];
    if (number !== undefined && Number(number) > 0) answers[Number(number) - 1] = (answer ?? '').trim();
    else if (answers.length > 0 && line.trim() !== '') answers[answers.length - 1] += ` ${line.trim()}`;
  }
  return { letter: lines.slice(0, heading).join('\n').trimEnd(), answers: Array.from(answers, (each) => each ?? '') };
}
