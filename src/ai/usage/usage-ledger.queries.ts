/** Budget and usage of a tenant; amounts in USD with 12 decimals, limits with two. */
export interface BudgetState {
  readonly dailyUsd: string | null;
  readonly monthlyUsd: string | null;
  readonly reservedUsd: string;
  readonly dayLimitUsd: string;
  readonly monthLimitUsd: string;
  readonly daySpentUsd: string;
  readonly monthSpentUsd: string;
  readonly dayRenewsAt: Date;
  readonly monthRenewsAt: Date;
}

/** Usage of one model. */
export interface ModelUsage {
  readonly provider: string;
  readonly model: string;
  readonly calls: number;
  readonly inputAiTokens: number;
  readonly outputAiTokens: number;
  readonly cachedAiTokens: number;
  readonly costUsd: string;
}

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
