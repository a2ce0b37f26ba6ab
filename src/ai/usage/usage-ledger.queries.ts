/** What a tenant may spend and has spent; amounts are USD with 12 places, limits with two. */
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

/** What one model was used for. */
export interface ModelUsage {
  readonly provider: string;
  readonly model: string;
  readonly calls: number;
  readonly inputAiTokens: number;
  readonly outputAiTokens: number;
  readonly cachedAiTokens: number;
  readonly costUsd: string;
}

/** Days and months of a budget are those of UTC, for everybody alike. */
const TODAY = `(now() AT TIME ZONE 'UTC')::date`;
const THIS_MONTH = `date_trunc('month', now() AT TIME ZONE 'UTC')::date`;

/** What was spent today, this month: a counter of an older day counts for nothing. */
const SPENT_TODAY = `CASE WHEN day = ${TODAY} THEN day_spent_usd ELSE 0 END`;
const SPENT_THIS_MONTH = `CASE WHEN month = ${THIS_MONTH} THEN month_spent_usd ELSE 0 END`;

/** Makes the tenant's row at his first call. */
export const CREATE_BUDGET = `
  INSERT INTO ai_budgets (daily_usd) SELECT NULL WHERE NOT EXISTS (SELECT FROM ai_budgets) ON CONFLICT (user_id) DO NOTHING`;

/**
 * Checks and reserves at once: two calls cannot both find the last cent. $1 the most the call can cost, $2 and $3 the
 * ceilings of a day and a month. No row: the budget does not allow it.
 */
export const RESERVE_BUDGET = `
  UPDATE ai_budgets SET reserved_usd = reserved_usd + $1::numeric
  WHERE ${SPENT_TODAY} + reserved_usd + $1::numeric <= least(daily_usd, $2::numeric)
    AND ${SPENT_THIS_MONTH} + reserved_usd + $1::numeric <= least(monthly_usd, $3::numeric)
  RETURNING id`;

/** Which ceiling of the installation, $1 a day and $2 a month, the reservations and what is spent pass; after RESERVE. */
export const FIND_EXCEEDED_CEILING = 'SELECT app.exceeded_ai_ceiling($1::numeric, $2::numeric) AS period';

/** Gives the reservation $1 back and books what was really spent, $2. */
export const SETTLE_BUDGET = `
  UPDATE ai_budgets SET reserved_usd = reserved_usd - $1::numeric,
    day_spent_usd = ${SPENT_TODAY} + $2::numeric, day = ${TODAY},
    month_spent_usd = ${SPENT_THIS_MONTH} + $2::numeric, month = ${THIS_MONTH}`;

/** $1 and $2 are the ceilings; a tenant without a row has spent nothing and may spend them. */
export const READ_BUDGET = `
  SELECT b.daily_usd AS "dailyUsd", b.monthly_usd AS "monthlyUsd", coalesce(b.reserved_usd, 0) AS "reservedUsd",
    least(b.daily_usd, $1::numeric) AS "dayLimitUsd", least(b.monthly_usd, $2::numeric) AS "monthLimitUsd",
    coalesce(b.day_spent, 0) AS "daySpentUsd", coalesce(b.month_spent, 0) AS "monthSpentUsd",
    (${TODAY} + 1)::timestamp AT TIME ZONE 'UTC' AS "dayRenewsAt",
    (${THIS_MONTH} + interval '1 month') AT TIME ZONE 'UTC' AS "monthRenewsAt"
  FROM (SELECT) one
  LEFT JOIN (SELECT daily_usd, monthly_usd, reserved_usd, ${SPENT_TODAY} AS day_spent, ${SPENT_THIS_MONTH} AS month_spent FROM ai_budgets) b ON true`;

/** $1 and $2: NULL is the ceiling. */
export const SET_BUDGET = `UPDATE ai_budgets SET daily_usd = $1::numeric, monthly_usd = $2::numeric`;

/** What each model was used for this month. */
export const USAGE_BY_MODEL = `
  SELECT provider, model, count(*)::integer AS calls, sum(input_ai_tokens) AS "inputAiTokens", sum(output_ai_tokens) AS "outputAiTokens",
    sum(cached_ai_tokens) AS "cachedAiTokens", sum(cost) AS "costUsd"
  FROM ai_calls WHERE created_at >= ${THIS_MONTH}::timestamp AT TIME ZONE 'UTC'
  GROUP BY provider, model ORDER BY sum(cost) DESC, provider, model`;

/** Says that a call is under way, and what it will have cost should this process die at once. */
export const BEGIN_RUN = `
  INSERT INTO ai_runs (generation_id, reserved_usd, provider, model, input_ai_tokens, output_ai_tokens, cached_ai_tokens, cost_usd, price_list_version)
  VALUES ($1, $2, $3, $4, $5, 0, 0, $6, $7)`;

/** No row: the process was taken for dead, and the call is settled. */
export const END_RUN = `DELETE FROM ai_runs WHERE generation_id = $1 RETURNING reserved_usd AS "reservedUsd"`;

/** Writes the ledger's rows of a generation, in the order of its calls. */
export const WRITE_CALLS = `
  INSERT INTO ai_calls (generation_id, provider, model, status, input_ai_tokens, output_ai_tokens, cached_ai_tokens,
    usage_is_estimated, cost, price_list_version, duration_ms, error)
  SELECT $1, provider, model, status, "inputAiTokens", "outputAiTokens", "cachedAiTokens", "isEstimated", cost, $3, "durationMs", error
  FROM jsonb_to_recordset($2::jsonb) AS c (provider text, model text, status text, "inputAiTokens" integer, "outputAiTokens" integer,
    "cachedAiTokens" integer, "isEstimated" boolean, cost numeric, "durationMs" integer, error text)`;
