import { ApiProperty } from '@nestjs/swagger';
import { ApiInstant } from '../platform/http/openapi/dto-fields';
import type { BudgetState, ModelUsage } from './usage/cost';
import { parseUsd, formatUsd } from './usage/cost';
import { ApiAmount, MoneyField } from '../platform/http/validation/money-field';

/** Budget and usage of one day or month; amounts in USD. */
export class BudgetPeriodDto {
  @ApiAmount({
    nullable: true,
    description: 'Your own limit; null means the ceiling of the installation.',
    example: '1.00',
  })
  budgetUsd: string | null;

  @ApiAmount({ description: 'Limit in force: the lower of your budget and the ceiling.', example: '1.00' })
  limitUsd: string;

  @ApiAmount({ places: 12, description: 'Amount spent in this period.', example: '0.006036000000' })
  spentUsd: string;

  @ApiAmount({
    places: 12,
    description: 'Amount left for new drafts: the limit less spent and reserved amounts.',
    example: '0.993964000000',
  })
  leftUsd: string;

  @ApiInstant({ description: 'When the next period begins (UTC).', example: '2026-02-01T00:00:00.000Z' })
  renewsAt: Date;
}

/** Usage of one model this month. */
export class ModelUsageDto {
  @ApiProperty({ type: String, description: 'Provider of the model.', example: 'anthropic' })
  provider: string;

  @ApiProperty({ type: String, description: 'Name of the model.', example: 'claude-sonnet-4-5' })
  model: string;

  @ApiProperty({ type: 'integer', description: 'Number of calls, failed ones included.', example: 12 })
  calls: number;

  @ApiProperty({ type: 'integer', description: 'Number of aiTokens sent.', example: 9744 })
  inputAiTokens: number;

  @ApiProperty({ type: 'integer', description: 'Number of aiTokens written.', example: 2880 })
  outputAiTokens: number;

  @ApiProperty({ type: 'integer', description: 'Number of aiTokens sent that the provider had cached.', example: 0 })
  cachedAiTokens: number;

  @ApiAmount({ places: 12, description: 'Cost of these calls in USD.', example: '0.072432000000' })
  costUsd: string;
}

/** Budget and usage of a user. */
export class UsageDto {
  @ApiProperty({ type: BudgetPeriodDto, description: 'Current day (UTC).' })
  day: BudgetPeriodDto;

  @ApiProperty({ type: BudgetPeriodDto, description: 'Current month (UTC).' })
  month: BudgetPeriodDto;

  @ApiAmount({ places: 12, description: 'USD reserved by drafts being written.', example: '0.000000000000' })
  reservedUsd: string;

  @ApiProperty({ type: [ModelUsageDto], description: 'Usage of the current month by model, most expensive first.' })
  models: ModelUsageDto[];

  /** Maps the budget and the usage by model. */
  static from(this: void, state: BudgetState, models: readonly ModelUsage[]): UsageDto {
    const left = (limit: string, spent: string): string => {
      const amount = parseUsd(limit) - parseUsd(spent) - parseUsd(state.reservedUsd);
      return formatUsd(amount < 0n ? 0n : amount);
    };
    const amounts = (usd: string): string => formatUsd(parseUsd(usd));
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

/** Body of PUT /v1/ai/budget. A limit that is absent or null is the ceiling of the installation. */
export class PutBudgetDto {
  @MoneyField({ nullable: true, description: 'Limit in USD per day (UTC).', example: '1.00' })
  dailyUsd?: string | null;

  @MoneyField({ nullable: true, description: 'Limit in USD per month (UTC).', example: '20.00' })
  monthlyUsd?: string | null;
}

/** Price with up to 12 decimals, as providers publish it. */
const PRICE = { type: String, pattern: '^\\d{1,8}(\\.\\d{1,12})?$' } as const;

/** Model that a draft may request. */
export class ModelDto {
  @ApiProperty({
    type: String,
    description: 'Value for `model` in POST /v1/ai/generations.',
    example: 'claude-sonnet-4-5',
  })
  id: string;

  @ApiProperty({ type: String, description: 'Provider of the model.', example: 'anthropic' })
  provider: string;

  @ApiProperty({ type: Boolean, description: 'True when the provider is configured.', example: true })
  isAvailable: boolean;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Setting that makes the model available; null when it is.',
    example: null,
  })
  missingSetting: string | null;

  @ApiProperty({
    type: Boolean,
    description: 'True when the provider uses it for drafts without a `model`.',
    example: true,
  })
  isDefault: boolean;

  @ApiProperty({ ...PRICE, description: 'Price in USD per million aiTokens sent.', example: '3' })
  inputUsdPerMillion: string;

  @ApiProperty({ ...PRICE, description: 'Price in USD per million aiTokens written.', example: '15' })
  outputUsdPerMillion: string;
}

/** All models, in the order their providers are tried. */
export class ModelListDto {
  @ApiProperty({ type: [ModelDto], description: 'AI models.' })
  items: ModelDto[];

  @ApiProperty({ type: String, description: 'Version of the price list.', example: '2026-11-01' })
  priceListVersion: string;
}
