import { ApiProperty } from '@nestjs/swagger';
import { DayField } from '../platform/http/validation/fields';
import { ApiAmount } from '../platform/http/validation/money-field';

/** A range of days (UTC), both included, at most 400. */
export class DayRangeDto {
  @DayField({ optional: true, description: 'First day (UTC).', example: '2026-01-01' })
  from?: string;

  @DayField({ optional: true, description: 'Last day (UTC); the default is today.', example: '2026-01-31' })
  to?: string;
}

/** Counts from jobs to accepted proposals. */
class FunnelDto {
  @ApiProperty({ type: 'integer', description: 'Jobs stored in the range.', example: 120 })
  jobsSeen: number;

  @ApiProperty({ type: 'integer', description: 'Proposals created in the range, drafts included.', example: 14 })
  proposalsDrafted: number;

  @ApiProperty({ type: 'integer', description: 'Proposals sent in the range.', example: 10 })
  proposalsSent: number;

  @ApiProperty({ type: 'integer', description: 'Sent proposals with an answer so far.', example: 4 })
  answered: number;

  @ApiProperty({
    type: 'integer',
    description: 'Sent proposals with an interview so far (Activated on Upwork).',
    example: 3,
  })
  interviews: number;

  @ApiProperty({
    type: 'integer',
    description: 'Sent proposals with an offer so far; an accepted proposal counts too.',
    example: 2,
  })
  offers: number;

  @ApiProperty({ type: 'integer', description: 'Sent proposals accepted so far.', example: 2 })
  won: number;
}

/** Statistics of a user's jobs. */
export class JobStatsDto {
  @ApiProperty({ type: 'integer', description: 'All jobs, including deleted ones.', example: 120 })
  totalJobs: number;

  @ApiProperty({ type: 'integer', description: 'Active jobs.', example: 80 })
  activeJobs: number;

  @ApiProperty({ type: 'integer', description: 'Favourite jobs.', example: 12 })
  favoriteJobs: number;

  @ApiAmount({
    description: 'Mean of budgetMax - budgetMin over jobs with both. Amounts are not converted between currencies.',
    example: '350.00',
  })
  avgBudgetRange: string;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When the newest job was stored (UTC).',
    example: '2026-01-31T09:30:00.000Z',
  })
  lastJobDate: Date | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When the statistics were computed (UTC).',
    example: '2026-01-31T09:35:00.000Z',
  })
  refreshedAt: Date | null;
}

/** Outcomes of one group of proposals. */
export class OutcomeDto {
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Value of the group; null where it is unknown.',
    example: 'Web Development',
  })
  key: string | null;

  @ApiProperty({ type: 'integer', description: 'Proposals sent.', example: 10 })
  sent: number;

  @ApiProperty({
    type: 'integer',
    description: 'Proposals with an answer: a message of the client, an interview, an offer or a decision.',
    example: 4,
  })
  answered: number;

  @ApiProperty({ type: 'integer', description: 'Proposals with an interview.', example: 3 })
  interviews: number;

  @ApiProperty({ type: 'integer', description: 'Proposals with an offer.', example: 2 })
  offers: number;

  @ApiProperty({ type: 'integer', description: 'Accepted proposals.', example: 2 })
  won: number;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'won divided by sent, 0 to 1; null when none was sent.',
    example: 0.2,
  })
  winRate: number | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Median time to the answer; null without an answer.',
    example: 7200,
  })
  medianAnswerSeconds: number | null;
}

/** Current outcomes of the proposals sent in a range of days. */
export class SummaryDto {
  @ApiProperty({ type: String, format: 'date', description: 'First day (UTC).', example: '2026-01-01' })
  from: string;

  @ApiProperty({ type: String, format: 'date', description: 'Last day (UTC).', example: '2026-01-31' })
  to: string;

  @ApiProperty({ type: FunnelDto, description: 'Counts from jobs to accepted proposals.' })
  funnel: FunnelDto;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'won divided by proposalsSent, 0 to 1; null when none was sent.',
    example: 0.2,
  })
  winRate: number | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'answered divided by proposalsSent, 0 to 1; null when none was sent.',
    example: 0.4,
  })
  answerRate: number | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Median time to the answer; null without an answer.',
    example: 7200,
  })
  medianAnswerSeconds: number | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Median time to the interview; null without an interview.',
    example: 14400,
  })
  medianInterviewSeconds: number | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Median time to the offer; null without an offer.',
    example: 86400,
  })
  medianOfferSeconds: number | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Median time until the proposal was accepted; null without a win.',
    example: 172800,
  })
  medianWinSeconds: number | null;

  @ApiAmount({ places: 12, description: 'Cost of the AI calls in the range, in USD.', example: '0.420000000000' })
  aiCostUsd: string;

  @ApiAmount({
    places: 12,
    nullable: true,
    description: 'aiCostUsd divided by won; null without a win.',
    example: '0.210000000000',
  })
  costPerWinUsd: string | null;

  @ApiProperty({ type: [OutcomeDto], description: 'Outcomes by category of the job, most sent first.' })
  byCategory: OutcomeDto[];

  @ApiProperty({
    type: [OutcomeDto],
    description: 'Outcomes by type, budget and currency of the job, most sent first. Amounts are not converted.',
  })
  byBudgetBand: OutcomeDto[];

  @ApiProperty({ type: [OutcomeDto], description: 'Outcomes by the weekday of submission (UTC), monday to sunday.' })
  byWeekday: OutcomeDto[];

  @ApiProperty({
    type: [OutcomeDto],
    description:
      'Outcomes by the template of the newest AI draft for the job before submission, most sent first; null ' +
      'without one.',
  })
  byTemplate: OutcomeDto[];
}
