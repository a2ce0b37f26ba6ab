import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ApiAmount, MoneyField } from '../platform/http/validation/money-field';
import type { BudgetState, ModelUsage } from './usage/usage-ledger.queries';
import { parseUsd, formatUsd } from './usage/cost';
import { NullableField } from '../platform/http/validation/fields';

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

/** What a model was used for this month. */
export class ModelUsageDto {
  @ApiProperty({ type: String, description: 'The vendor.', example: 'anthropic' })
  provider: string;

  @ApiProperty({ type: String, description: 'The model.', example: 'claude-sonnet-4-5' })
  model: string;

  @ApiProperty({ type: 'integer', description: 'Calls, however they ended.', example: 12 })
  calls: number;

  @ApiProperty({ type: 'integer', description: 'aiTokens sent.', example: 9744 })
  inputAiTokens: number;

  @ApiProperty({ type: 'integer', description: 'aiTokens written.', example: 2880 })
  outputAiTokens: number;

  @ApiProperty({ type: 'integer', description: 'aiTokens sent that the vendor had cached.', example: 0 })
  cachedAiTokens: number;

  @ApiAmount({ places: 12, description: 'What they cost, in USD.', example: '0.072432000000' })
  costUsd: string;
}

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

/** As vendors write prices. */
const PRICE = { type: String, pattern: '^\\d{1,8}(\\.\\d{1,12})?$' } as const;

/** A model a draft may name. */
export class ModelDto {
  @ApiProperty({ type: String, description: 'What to give as `model`.', example: 'claude-sonnet-4-5' })
  id: string;

  @ApiProperty({ type: String, description: 'Its vendor.', example: 'anthropic' })
  provider: string;

  @ApiProperty({ type: Boolean, description: 'Whether it can be called.', example: true })
  isAvailable: boolean;

  @ApiProperty({ type: String, nullable: true, description: 'The setting to give when it cannot.', example: null })
  missingSetting: string | null;

  @ApiProperty({ type: Boolean, description: "Whether it is its vendor's for drafts that name none.", example: true })
  isDefault: boolean;

  @ApiProperty({ ...PRICE, description: 'USD for a million aiTokens sent.', example: '3' })
  inputUsdPerMillion: string;

  @ApiProperty({ ...PRICE, description: 'USD for a million aiTokens written.', example: '15' })
  outputUsdPerMillion: string;
}

/** All models, in the order their vendors are tried. */
export class ModelListDto {
  @ApiProperty({ type: [ModelDto], description: 'The models.' })
  items: ModelDto[];

  @ApiProperty({ type: String, description: 'The price list they are charged by.', example: '2026-11-01' })
  priceListVersion: string;
}
