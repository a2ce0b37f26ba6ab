import { ValidateBy } from 'class-validator';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { OptionalField } from '../platform/http/validation/fields';
import { ApiAmount } from '../platform/http/validation/money-field';

/** A field or query parameter holding a day that exists, as 2026-01-31, of the years 2000 to 2199. */
export function DayField(): PropertyDecorator {
  return ValidateBy({
    name: 'day',
    validator: {
      validate: isDay,
      defaultMessage: () => '$property must be a day such as 2026-01-31, of the years 2000 to 2199',
    },
  });
}

function isDay(value: unknown): boolean {
  if (typeof value !== 'string' || !/^2[01]\d\d-\d\d-\d\d$/.test(value)) return false;
  const instant = Date.parse(value);
  // Date rolls the 30th of February over to March.
  return !Number.isNaN(instant) && new Date(instant).toISOString().startsWith(value);
}

/** Days (UTC), both included; at most 400. */
export class DayRangeDto {
  @ApiPropertyOptional({ type: String, format: 'date', description: 'The first day.', example: '2026-01-01' })
  @OptionalField()
  @DayField()
  from?: string;

  @ApiPropertyOptional({
    type: String,
    format: 'date',
    description: 'The last day; today unless you say.',
    example: '2026-01-31',
  })
  @OptionalField()
  @DayField()
  to?: string;
}

/** The way from vacancies to wins. */
export class FunnelDto {
  @ApiProperty({ type: 'integer', description: 'Jobs stored in the range.', example: 120 })
  jobsSeen: number;

  @ApiProperty({ type: 'integer', description: 'Proposals made in the range, sent or not.', example: 14 })
  proposalsDrafted: number;

  @ApiProperty({ type: 'integer', description: 'Proposals sent in the range.', example: 10 })
  proposalsSent: number;

  @ApiProperty({ type: 'integer', description: 'Those of them that got an answer until now.', example: 4 })
  answered: number;

  @ApiProperty({ type: 'integer', description: 'Those of them that were accepted until now.', example: 2 })
  won: number;
}

/** What the jobs of a user come to. */
export class JobStatsDto {
  @ApiProperty({ type: 'integer', description: 'Jobs in every status, deleted ones too.', example: 120 })
  totalJobs: number;

  @ApiProperty({ type: 'integer', description: 'Those that are active.', example: 80 })
  activeJobs: number;

  @ApiProperty({ type: 'integer', description: 'Those that are favourites.', example: 12 })
  favoriteJobs: number;

  @ApiAmount({
    description:
      'The mean of budgetMax - budgetMin over jobs that have both, whatever their currency: amounts are not converted.',
    example: '350.00',
  })
  avgBudgetRange: string;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When the newest job was stored.',
    example: '2026-01-31T09:30:00.000Z',
  })
  lastJobDate: Date | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'The instant these numbers are of; a task refreshes them.',
    example: '2026-01-31T09:35:00.000Z',
  })
  refreshedAt: Date | null;
}

/** What became of the proposals of one kind. */
export class OutcomeDto {
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The kind; null where it is not known.',
    example: 'Web Development',
  })
  key: string | null;

  @ApiProperty({ type: 'integer', description: 'Proposals sent.', example: 10 })
  sent: number;

  @ApiProperty({
    type: 'integer',
    description: 'Those that got an answer: a message of the client, or a decision.',
    example: 4,
  })
  answered: number;

  @ApiProperty({ type: 'integer', description: 'Those that were accepted.', example: 2 })
  won: number;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'won of sent, 0 to 1; null when none was sent.',
    example: 0.2,
  })
  winRate: number | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Half of the answers came sooner; null without an answer.',
    example: 7200,
  })
  medianAnswerSeconds: number | null;
}

/** What wins: of the proposals sent in a range of days, what became of them until now. */
export class SummaryDto {
  @ApiProperty({ type: String, format: 'date', description: 'The first day.', example: '2026-01-01' })
  from: string;

  @ApiProperty({ type: String, format: 'date', description: 'The last day.', example: '2026-01-31' })
  to: string;

  @ApiProperty({ type: FunnelDto, description: 'The way from vacancies to wins.' })
  funnel: FunnelDto;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'won of proposalsSent, 0 to 1; null when none was sent.',
    example: 0.2,
  })
  winRate: number | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'answered of proposalsSent; null when none was sent.',
    example: 0.4,
  })
  answerRate: number | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Half of the answers came sooner; null without an answer.',
    example: 7200,
  })
  medianAnswerSeconds: number | null;

  @ApiAmount({ places: 12, description: 'What AI calls of the range cost, in USD.', example: '0.420000000000' })
  aiCostUsd: string;

  @ApiAmount({
    places: 12,
    nullable: true,
    description: 'aiCostUsd for each win; null without a win.',
    example: '0.210000000000',
  })
  costPerWinUsd: string | null;

  @ApiProperty({ type: [OutcomeDto], description: 'By category of the job, most sent first.' })
  byCategory: OutcomeDto[];

  @ApiProperty({
    type: [OutcomeDto],
    description: 'By kind, budget and currency of the job; amounts are not converted. Most sent first.',
  })
  byBudgetBand: OutcomeDto[];

  @ApiProperty({ type: [OutcomeDto], description: 'By the day of the week it was sent (UTC), monday to sunday.' })
  byWeekday: OutcomeDto[];

  @ApiProperty({
    type: [OutcomeDto],
    description:
      'By the template of the newest AI draft for the job before it was sent; null without one. Most sent first.',
  })
  byTemplate: OutcomeDto[];
}
