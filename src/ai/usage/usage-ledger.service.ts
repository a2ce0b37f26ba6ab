import { Injectable } from '@nestjs/common';
import { Config } from '../../platform/config/config';
import { currentContext } from '../../platform/context/request-context';
import { FairSemaphore } from '../../platform/concurrency/fair-semaphore';
import { Database } from '../../platform/database/database';
import type { UnitOfWork } from '../../platform/database/unit-of-work';
import { AppError } from '../../platform/errors/app-error';
import {
  BEGIN_RUN,
  type BudgetState,
  CREATE_BUDGET,
  END_RUN,
  FIND_EXCEEDED_CEILING,
  type ModelUsage,
  READ_BUDGET,
  RESERVE_BUDGET,
  SET_BUDGET,
  SETTLE_BUDGET,
  USAGE_BY_MODEL,
  WRITE_CALLS,
} from './usage-ledger.queries';
import type { CallRecord } from './usage-meter';
import { formatUsd, parseUsd, type PicoUsd, PRICE_LIST_VERSION } from './cost';

/** Model of a call and the provider that runs it. */
interface CalledModel {
  readonly provider: { readonly name: string };
  readonly model: string;
}

/** AI spending of the signed-in user: budgets, reservations, calls. */
@Injectable()
export class UsageLedgerService {
  private readonly ceilings: readonly [daily: string, monthly: string];
  private readonly installationCeilings: readonly [daily: string, monthly: string];
  /** A budget is one row: without this limit, parallel calls of a user would each block a connection on it. */
  private readonly userSemaphore = new FairSemaphore({ resource: 'AI calls', perKey: 1 });

  constructor(
    private readonly database: Database,
    { ai }: Config,
  ) {
    this.ceilings = [ai.dailyCeilingUsd, ai.monthlyCeilingUsd];
    this.installationCeilings = [ai.installationDailyCeilingUsd, ai.installationMonthlyCeilingUsd];
  }

  /** Runs a unit of work that reserves or settles. Units of one user run one after another. */
  runExclusive<T>(work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    return this.userSemaphore.run(currentContext()?.principal?.userId ?? 0, () => this.database.transaction(work));
  }

  /**
   * Reserves the maximum cost of a call in the caller's unit. Call it last: it locks the user's budget and the
   * installation's counters. When it throws, the unit's rollback also undoes the reservation.
   * @throws AppError `ai.budget_exceeded` with what is left and when it renews, `ai.installation_budget_exceeded`
   */
  async reserve(unit: UnitOfWork, maxCost: PicoUsd): Promise<void> {
    const [, [reserved], [above]] = await Promise.all([
      unit.query(CREATE_BUDGET),
      unit.query<{ id: number }>(RESERVE_BUDGET, [formatUsd(maxCost), ...this.ceilings]),
      unit.query<{ period: 'day' | 'month' | null }>(FIND_EXCEEDED_CEILING, [...this.installationCeilings]),
    ]);
    if (reserved && !above?.period) return;
    const [state] = await unit.query<BudgetState>(READ_BUDGET, [...this.ceilings]);
    throw reserved ? buildInstallationBudgetError(state!, above!.period!) : buildBudgetError(state!, maxCost);
  }

  /** Records the start of a call in the caller's unit. From then on it is settled even if this process dies. */
  async recordStart(
    unit: UnitOfWork,
    generationId: number,
    reserved: PicoUsd,
    first: CalledModel,
    input: { aiTokens: number; cost: PicoUsd },
  ): Promise<void> {
    const { provider, model } = first;
    await unit.query(BEGIN_RUN, [
      generationId,
      formatUsd(reserved),
      provider.name,
      model,
      input.aiTokens,
      formatUsd(input.cost),
      PRICE_LIST_VERSION,
    ]);
  }

  /**
   * Ends a call in progress in the caller's unit and returns its reservation. Undefined when the call was already
   * settled because this process was considered dead.
   */
  async recordEnd(unit: UnitOfWork, generationId: number): Promise<string | undefined> {
    const [run] = await unit.query<{ reservedUsd: string }>(END_RUN, [generationId]);
    return run?.reservedUsd;
  }

  /**
   * Records the calls of a generation and releases its reservation, in the caller's unit. Call it last: it locks the
   * user's budget.
   */
  async settle(
    unit: UnitOfWork,
    generationId: number,
    calls: readonly CallRecord[],
    reservedUsd: string,
  ): Promise<void> {
    const spent = calls.reduce((sum, { cost }) => sum + cost, 0n);
    const rows = calls.map(({ usage, cost, isTransient: _isTransient, ...call }) => ({
      ...call,
      ...usage,
      cost: formatUsd(cost),
    }));
    await Promise.all([
      unit.query(WRITE_CALLS, [generationId, JSON.stringify(rows), PRICE_LIST_VERSION]),
      unit.query(SETTLE_BUDGET, [reservedUsd, formatUsd(spent)]),
    ]);
  }

  /** Returns budget and usage of the user. One statement. */
  async getBudget(): Promise<BudgetState> {
    const [state] = await this.database.query<BudgetState>(READ_BUDGET, [...this.ceilings]);
    return state!;
  }

  /** Returns the usage of each model this month, most expensive first. One statement. */
  listUsageByModel(): Promise<ModelUsage[]> {
    return this.database.query<ModelUsage>(USAGE_BY_MODEL);
  }

  /**
   * Sets the user's limits; null means the ceiling of the installation. One unit of work; one audit row.
   * @throws AppError `ai.budget_above_ceiling`
   */
  async setBudget(dailyUsd: string | null, monthlyUsd: string | null): Promise<BudgetState> {
    this.assertBelowCeiling('/dailyUsd', dailyUsd, this.ceilings[0]);
    this.assertBelowCeiling('/monthlyUsd', monthlyUsd, this.ceilings[1]);
    return this.database.transaction(async (unit) => {
      const [, , [state]] = await Promise.all([
        unit.query(CREATE_BUDGET),
        unit.query(SET_BUDGET, [dailyUsd, monthlyUsd]),
        unit.query<BudgetState>(READ_BUDGET, [...this.ceilings]),
      ]);
      return state!;
    });
  }

  private assertBelowCeiling(pointer: string, usd: string | null, ceiling: string): void {
    if (usd === null || parseUsd(usd) <= parseUsd(ceiling)) return;
    const message = `${pointer.slice(1)} must not exceed the ceiling of this installation, ${ceiling} USD.`;
    throw new AppError('ai.budget_above_ceiling', {
      detail: message,
      errors: [{ pointer, code: 'above_ceiling', message }],
    });
  }
}

/** Names the period only: amounts would reveal the spending of other users. */
function buildInstallationBudgetError(state: BudgetState, period: 'day' | 'month'): AppError {
  const renewsAt = period === 'day' ? state.dayRenewsAt : state.monthRenewsAt;
  return new AppError('ai.installation_budget_exceeded', {
    detail:
      `All users together have used what this installation may spend on AI this ${period}. ` +
      `Try again after ${renewsAt.toISOString()}.`,
    headers: { 'retry-after': String(computeSecondsUntil(renewsAt)) },
    extensions: { period, renewsAt: renewsAt.toISOString() },
  });
}

function computeSecondsUntil(instant: Date): number {
  return Math.max(1, Math.ceil((instant.getTime() - Date.now()) / 1_000));
}

/** Reports the limit that was exceeded, the amount left, and when the budget renews. */
function buildBudgetError(state: BudgetState, maxCost: PicoUsd): AppError {
  const reserved = parseUsd(state.reservedUsd);
  const dayLeft = clampToZero(parseUsd(state.dayLimitUsd) - parseUsd(state.daySpentUsd) - reserved);
  const monthLeft = clampToZero(parseUsd(state.monthLimitUsd) - parseUsd(state.monthSpentUsd) - reserved);
  const [period, left, renewsAt] =
    maxCost > monthLeft
      ? (['month', monthLeft, state.monthRenewsAt] as const)
      : (['day', dayLeft, state.dayRenewsAt] as const);
  return new AppError('ai.budget_exceeded', {
    detail:
      `The draft may cost up to ${formatUsd(maxCost)} USD; ${formatUsd(left)} USD are left this ${period}. The ` +
      `budget renews at ${renewsAt.toISOString()}.`,
    headers: { 'retry-after': String(computeSecondsUntil(renewsAt)) },
    extensions: {
      period,
      leftUsd: formatUsd(left),
      neededUsd: formatUsd(maxCost),
      reservedUsd: formatUsd(reserved),
      renewsAt: renewsAt.toISOString(),
    },
  });
}

function clampToZero(amount: PicoUsd): PicoUsd {
  return amount < 0n ? 0n : amount;
}
