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

/** The model of a call and the vendor that runs it. */
interface CalledModel {
  readonly provider: { readonly name: string };
  readonly model: string;
}

/** The books of the signed-in user's AI calls. */
@Injectable()
export class UsageLedgerService {
  private readonly ceilings: readonly [daily: string, monthly: string];
  private readonly installationCeilings: readonly [daily: string, monthly: string];
  /** A user's budget is one row: their parallel calls would hold a connection each to wait for it. */
  private readonly userSemaphore = new FairSemaphore({ resource: 'AI calls', perKey: 1 });

  constructor(
    private readonly database: Database,
    { ai }: Config,
  ) {
    this.ceilings = [ai.dailyCeilingUsd, ai.monthlyCeilingUsd];
    this.installationCeilings = [ai.installationDailyCeilingUsd, ai.installationMonthlyCeilingUsd];
  }

  /** Runs a unit of work that reserves or settles; units of the same user come one after the other. */
  runExclusive<T>(work: (unit: UnitOfWork) => Promise<T>): Promise<T> {
    return this.userSemaphore.run(currentContext()?.principal?.userId ?? 0, () => this.database.transaction(work));
  }

  /**
   * Reserves the most a call can cost, in the caller's unit; best as its last statement, for it locks the user's budget
   * and the counters of the installation. What it reserved goes with the unit when it throws.
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

  /** Notes a call that begins, in the caller's unit; from now on it is settled even if this process dies. */
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
   * Ends what `begin` noted, in the caller's unit, and returns the reservation; undefined when it was settled already,
   * because this process was taken for dead.
   */
  async recordEnd(unit: UnitOfWork, generationId: number): Promise<string | undefined> {
    const [run] = await unit.query<{ reservedUsd: string }>(END_RUN, [generationId]);
    return run?.reservedUsd;
  }

  /** Books the calls of a generation and gives its reservation back, in the caller's unit; best as its last statement. */
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

  /** Returns what the user may spend and has spent. One statement. */
  async getBudget(): Promise<BudgetState> {
    const [state] = await this.database.query<BudgetState>(READ_BUDGET, [...this.ceilings]);
    return state!;
  }

  /** Returns what each model was used for this month, most expensive first. One statement. */
  listUsageByModel(): Promise<ModelUsage[]> {
    return this.database.query<ModelUsage>(USAGE_BY_MODEL);
  }

  /**
   * Sets what the user may spend; null is the ceiling of the installation. One unit of work; one audit row.
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
    const message = `${pointer.slice(1)} is above the ceiling of this installation, ${ceiling} USD`;
    throw new AppError('ai.budget_above_ceiling', {
      detail: message,
      errors: [{ pointer, code: 'above_ceiling', message }],
    });
  }
}

/** Names the period and nothing of what others spend. */
function buildInstallationBudgetError(state: BudgetState, period: 'day' | 'month'): AppError {
  const renewsAt = period === 'day' ? state.dayRenewsAt : state.monthRenewsAt;
  return new AppError('ai.installation_budget_exceeded', {
    detail: `All users together have used what this installation may spend on AI this ${period}. Try again after ${renewsAt.toISOString()}.`,
    headers: { 'retry-after': String(computeSecondsUntil(renewsAt)) },
    extensions: { period, renewsAt: renewsAt.toISOString() },
  });
}

function computeSecondsUntil(instant: Date): number {
  return Math.max(1, Math.ceil((instant.getTime() - Date.now()) / 1_000));
}

/** Says which of the two limits is in the way, what is left of it, and when it renews. */
function buildBudgetError(state: BudgetState, maxCost: PicoUsd): AppError {
  const reserved = parseUsd(state.reservedUsd);
  const dayLeft = clampToZero(parseUsd(state.dayLimitUsd) - parseUsd(state.daySpentUsd) - reserved);
  const monthLeft = clampToZero(parseUsd(state.monthLimitUsd) - parseUsd(state.monthSpentUsd) - reserved);
  const [period, left, renewsAt] =
    maxCost > monthLeft
      ? (['month', monthLeft, state.monthRenewsAt] as const)
      : (['day', dayLeft, state.dayRenewsAt] as const);
  return new AppError('ai.budget_exceeded', {
    detail: `the call may cost up to ${formatUsd(maxCost)} USD; ${formatUsd(left)} USD are left this ${period}, which renews at ${renewsAt.toISOString()}`,
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
