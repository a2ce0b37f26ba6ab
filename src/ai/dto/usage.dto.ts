import { ApiProperty } from '@nestjs/swagger';
import { ApiAmount } from '../../platform/http/money-field';
import type { BudgetState, ModelUsage } from '../budget-state';
import { fromUsd, toUsd } from '../cost';
import { BudgetPeriodDto } from './budget-period.dto';
import { ModelUsageDto } from './model-usage.dto';

/** What a user may spend on AI, and has. */
export class UsageDto {
  @ApiProperty({ type: BudgetPeriodDto, description: 'Today.' })
  day: BudgetPeriodDto;

  @ApiProperty({ type: BudgetPeriodDto, description: 'This month.' })
  month: BudgetPeriodDto;

  @ApiAmount({ places: 12, description: 'USD reserved by calls under way.', example: '0.000000000000' })
  reservedUsd: string;

  @ApiProperty({ type: [ModelUsageDto], description: 'This month by model, most expensive first.' })
  models: ModelUsageDto[];

  /** Shows the books. */
  static from(this: void, state: BudgetState, models: readonly ModelUsage[]): UsageDto {
    const left = (limit: string, spent: string): string => {
      const amount = fromUsd(limit) - fromUsd(spent) - fromUsd(state.reservedUsd);
      return toUsd(amount < 0n ? 0n : amount);
    };
    const amounts = (usd: string): string => toUsd(fromUsd(usd));
    return {
      day: {
        budgetUsd: state.dailyUsd,
        limitUsd: state.dayLimitUsd,
        spentUsd: amounts(state.daySpentUsd),
        leftUsd: left(state.dayLimitUsd, state.daySpentUsd),
        renewsAt: state.dayRenewsAt,
      },
      month: {
        budgetUsd: state.monthlyUsd,
        limitUsd: state.monthLimitUsd,
        spentUsd: amounts(state.monthSpentUsd),
        leftUsd: left(state.monthLimitUsd, state.monthSpentUsd),
        renewsAt: state.monthRenewsAt,
      },
      reservedUsd: amounts(state.reservedUsd),
      models: models.map((usage) => ({ ...usage })),
    };
  }
}
