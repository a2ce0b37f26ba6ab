import { ApiProperty } from '@nestjs/swagger';

/** A day or a month of a budget; amounts are USD, what was spent with 12 places. */
export class BudgetPeriodDto {
  @ApiProperty({ type: String, nullable: true, description: 'What you set; null is the ceiling of the installation.', example: '1.00' })
  budgetUsd: string | null;

  @ApiProperty({ type: String, description: 'What holds: the lower of budget and ceiling.', example: '1.00' })
  limitUsd: string;

  @ApiProperty({ type: String, description: 'What is booked.', example: '0.006036000000' })
  spentUsd: string;

  @ApiProperty({ type: String, description: 'What a new call may still cost: the limit less what is booked and reserved.', example: '0.993964000000' })
  leftUsd: string;

  @ApiProperty({ type: String, format: 'date-time', description: 'When it begins anew.', example: '2026-02-01T00:00:00.000Z' })
  renewsAt: Date;
}
