import type { DayRange } from './day-range';
import type { OutcomeDto } from './dto/outcome.dto';
import type { SummaryDto } from './dto/summary.dto';

/** A row of outcomes(): of all proposals sent (kind null), or of those of one kind. */
export interface OutcomeRow extends OutcomeDto {
  readonly kind: 'category' | 'band' | 'weekday' | 'template' | null;
}

/** Counts of the same range. */
export interface Volumes {
  readonly jobsSeen: number;
  readonly proposalsDrafted: number;
  /** 12 decimals. */
  readonly aiCostUsd: string;
}

const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];

const NONE: Omit<OutcomeDto, 'key'> = { sent: 0, answered: 0, won: 0, winRate: null, medianAnswerSeconds: null };

/** Puts the figures of a range together. */
export function summaryOf(
  range: DayRange,
  rows: readonly OutcomeRow[],
  { jobsSeen, proposalsDrafted, aiCostUsd }: Volumes,
): SummaryDto {
  const all = rows.find(({ kind }) => kind === null) ?? NONE;
  const of = (wanted: OutcomeRow['kind']): OutcomeDto[] =>
    rows
      .filter(({ kind }) => kind === wanted)
      .map(({ key, sent, answered, won, winRate, medianAnswerSeconds }) => ({
        key,
        sent,
        answered,
        won,
        winRate,
        medianAnswerSeconds,
      }));
  const weekdays = of('weekday');
  return {
    ...range,
    funnel: { jobsSeen, proposalsDrafted, proposalsSent: all.sent, answered: all.answered, won: all.won },
    winRate: all.winRate,
    answerRate: all.sent === 0 ? null : Math.round((10_000 * all.answered) / all.sent) / 10_000,
    medianAnswerSeconds: all.medianAnswerSeconds,
    aiCostUsd,
    costPerWinUsd: all.won === 0 ? null : dividedBy(aiCostUsd, all.won),
    byCategory: of('category'),
    byBudgetBand: of('band'),
    byWeekday: WEEKDAYS.map((key, index) => ({
      ...(weekdays.find((day) => day.key === String(index + 1)) ?? NONE),
      key,
    })),
    byTemplate: of('template'),
  };
}

/** Exact to the 12th decimal, which is cut. */
function dividedBy(amount: string, count: number): string {
  const digits = (BigInt(amount.replace('.', '')) / BigInt(count)).toString().padStart(13, '0');
  return `${digits.slice(0, -12)}.${digits.slice(-12)}`;
}
