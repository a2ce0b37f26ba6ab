import { ApiProperty } from '@nestjs/swagger';
import { ApiAmount } from '../../platform/http/money-field';
import { FunnelDto } from './funnel.dto';
import { OutcomeDto } from './outcome.dto';

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
