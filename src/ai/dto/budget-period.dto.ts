import { ApiProperty } from '@nestjs/swagger';
import { ApiAmount } from '../../platform/http/money-field';

/** A day or a month of a budget; amounts are USD. */
export class BudgetPeriodDto {
  @ApiAmount({ nullable: true, description: 'What you set; null is the ceiling of the installation.', example: '1.00' })
  budgetUsd: string | null;

  @ApiAmount({ description: 'What holds: the lower of budget and ceiling.', example: '1.00' })
  limitUsd: string;

  @ApiAmount({ places: 12, description: 'What is booked.', example: '0.006036000000' })
  spentUsd: string;

  @ApiAmount({
    places: 12,
    description: 'What a new call may still cost: the limit less what is booked and reserved.',
    example: '0.993964000000',
  })
  leftUsd: string;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When it begins anew.',
    example: '2026-02-01T00:00:00.000Z',
  })
  renewsAt: Date;
}
