import { ApiPropertyOptional } from '@nestjs/swagger';
import { NullableField } from '../../platform/http/fields';
import { MoneyField } from '../../platform/http/money-field';

/** What a user allows himself; what is absent or null is the ceiling of the installation. */
export class PutBudgetDto {
  @ApiPropertyOptional({ type: String, nullable: true, description: 'USD a day (UTC).', example: '1.00' })
  @NullableField()
  @MoneyField()
  dailyUsd?: string | null;

  @ApiPropertyOptional({ type: String, nullable: true, description: 'USD a month (UTC).', example: '20.00' })
  @NullableField()
  @MoneyField()
  monthlyUsd?: string | null;
}
