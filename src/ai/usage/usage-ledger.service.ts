import { Injectable } from '@nestjs/common';
import { Config } from '../../platform/config/config';
import { currentContext } from '../../platform/context/request-context';
import { FairSemaphore } from '../../platform/concurrency/fair-semaphore';
import { Database } from '../../platform/database/database';
import type { UnitOfWork } from '../../platform/database/unit-of-work';
import { AppError } from '../../platform/errors/app-error';
import type { CallRecord } from './usage-meter';
import { type BudgetState, formatUsd, type ModelUsage, parseUsd, type PicoUsd, PRICE_LIST_VERSION } from './cost';

/** Days and months of a budget are UTC for every user. */
const TODAY = `(now() AT TIME ZONE 'UTC')::date`;
const THIS_MONTH = `date_trunc('month', now() AT TIME ZONE 'UTC')::date`;

/** Amounts spent in the current day and month; a counter of an earlier period counts as 0. */
const SPENT_TODAY = `CASE WHEN day = ${TODAY} THEN day_spent_usd ELSE 0 END`;
const SPENT_THIS_MONTH = `CASE WHEN month = ${THIS_MONTH} THEN month_spent_usd ELSE 0 END`;

/** Creates the tenant's row at their first call. */
export const CREATE_BUDGET = `
  INSERT INTO ai_budgets (daily_usd) SELECT NULL WHERE NOT EXISTS (SELECT FROM ai_budgets)
  ON CONFLICT (user_id) DO NOTHING`;

/**
 * Checks and reserves in one statement, so two calls cannot use the same remainder. $1: maximum cost of the call; $2,
 * $3: ceilings of the day and the month. Returns no row when the budget does not allow it.
 */
export const RESERVE_BUDGET = `
  UPDATE ai_budgets SET reserved_usd = reserved_usd + $1::numeric
  WHERE ${SPENT_TODAY} + reserved_usd + $1::numeric <= least(daily_usd, $2::numeric)
    AND ${SPENT_THIS_MONTH} + reserved_usd + $1::numeric <= least(monthly_usd, $3::numeric)
  RETURNING id`;

/**
 * Returns the ceiling of the installation that spent and reserved amounts exceed ($1: day, $2: month). Run after
 * RESERVE_BUDGET.
 */
export const FIND_EXCEEDED_CEILING = 'SELECT app.exceeded_ai_ceiling($1::numeric, $2::numeric) AS period';

/** Releases the reservation $1 and records the amount spent, $2. */
export const SETTLE_BUDGET = `
  UPDATE ai_budgets SET reserved_usd = reserved_usd - $1::numeric,
    day_spent_usd = ${SPENT_TODAY} + $2::numeric, day = ${TODAY},
    month_spent_usd = ${SPENT_THIS_MONTH} + $2::numeric, month = ${THIS_MONTH}`;

/** Reads budget and usage; $1, $2: ceilings of the day and the month. A tenant without a row has spent nothing. */
export const READ_BUDGET = `
  SELECT b.daily_usd AS "dailyUsd", b.monthly_usd AS "monthlyUsd", coalesce(b.reserved_usd, 0) AS "reservedUsd",
    least(b.daily_usd, $1::numeric) AS "dayLimitUsd", least(b.monthly_usd, $2::numeric) AS "monthLimitUsd",
    coalesce(b.day_spent, 0) AS "daySpentUsd", coalesce(b.month_spent, 0) AS "monthSpentUsd",
    (${TODAY} + 1)::timestamp AT TIME ZONE 'UTC' AS "dayRenewsAt",
    (${THIS_MONTH} + interval '1 month') AT TIME ZONE 'UTC' AS "monthRenewsAt"
  FROM (SELECT) one
  LEFT JOIN (
    SELECT daily_usd, monthly_usd, reserved_usd, ${SPENT_TODAY} AS day_spent, ${SPENT_THIS_MONTH} AS month_spent
    FROM ai_budgets
  ) b ON true`;

/** Sets the limits of the day ($1) and the month ($2); NULL means the ceiling of the installation. */
export const SET_BUDGET = `UPDATE ai_budgets SET daily_usd = $1::numeric, monthly_usd = $2::numeric`;

/** Sums the usage of each model this month. */
export const USAGE_BY_MODEL = `
  SELECT provider, model, count(*)::integer AS calls, sum(input_ai_tokens) AS "inputAiTokens",
    sum(output_ai_tokens) AS "outputAiTokens", sum(cached_ai_tokens) AS "cachedAiTokens", sum(cost) AS "costUsd"
  FROM ai_calls WHERE created_at >= ${THIS_MONTH}::timestamp AT TIME ZONE 'UTC'
  GROUP BY provider, model ORDER BY sum(cost) DESC, provider, model`;

/** Records a call in progress, and its cost if this process died now. */
export const BEGIN_RUN = `
  INSERT INTO ai_runs (generation_id, reserved_usd, provider, model, input_ai_tokens, output_ai_tokens,
    cached_ai_tokens, cost_usd, price_list_version)
  VALUES ($1, $2, $3, $4, $5, 0, 0, $6, $7)`;

/**
 * Ends a call in progress. Returns no row when the call was already settled because the process was considered dead.
 */
export const END_RUN = `DELETE FROM ai_runs WHERE generation_id = $1 RETURNING reserved_usd AS "reservedUsd"`;

/** Inserts the calls of a generation in their order. */
export const WRITE_CALLS = `
  INSERT INTO ai_calls (generation_id, provider, model, status, input_ai_tokens, output_ai_tokens, cached_ai_tokens,
    usage_is_estimated, cost, price_list_version, duration_ms, error)
  SELECT $1, provider, model, status, "inputAiTokens", "outputAiTokens", "cachedAiTokens", "isEstimated", cost, $3,
    "durationMs", error
  FROM jsonb_to_recordset($2::jsonb) AS c (provider text, model text, status text, "inputAiTokens" integer,
    "outputAiTokens" integer, "cachedAiTokens" integer, "isEstimated" boolean, cost numeric, "durationMs" integer,
    error text)`;

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
