import { Conditions } from '../platform/database/conditions';
import { buildSelectList } from '../platform/database/base.entity';
import type { QueryOptions } from '../platform/database/unit-of-work';
import { listFields } from '../platform/http/openapi/dto-fields';
import type { CursorKey } from '../platform/http/pagination/keyset-page';
import { toHundredths } from '../platform/http/validation/money-field';
import { Job } from './job.entity';
import { JobDto, type ListJobsDto } from './jobs.dto';
import type { JobSort } from './job-values';

/** A row of a list: the job and its sort value. */
export interface JobRow extends JobDto {
  readonly sortKey: CursorKey;
}

/** A sort order: an expression that is never NULL, its form in a cursor, and its direction. */
interface Order {
  readonly expression: string;
  readonly key: string;
  readonly type: 'timestamptz' | 'bigint' | 'text';
  readonly isDescending: boolean;
  /** True when an index of the tenant's jobs has this order. */
  readonly isIndexed: boolean;
}

const COLUMNS = buildSelectList(Job, listFields(JobDto));

/** Values beyond any amount, so that jobs without one come last in both directions. */
const NO_AMOUNT = { ascending: '99999999999', descending: '-1' };

const ORDERS: Readonly<Record<JobSort, Order>> = {
  createdAt: { ...byCreation(), isDescending: false },
  '-createdAt': { ...byCreation(), isDescending: true },
  budgetMax: { ...byAmount('budget_max', NO_AMOUNT.ascending), isDescending: false },
  '-budgetMax': { ...byAmount('budget_max', NO_AMOUNT.descending), isDescending: true },
  hourlyRateMax: { ...byAmount('hourly_rate_max', NO_AMOUNT.ascending), isDescending: false },
  '-hourlyRateMax': { ...byAmount('hourly_rate_max', NO_AMOUNT.descending), isDescending: true },
  title: { expression: 'title', key: 'title', type: 'text', isDescending: false, isIndexed: false },
  '-title': { expression: 'title', key: 'title', type: 'text', isDescending: true, isIndexed: false },
};

/**
 * Limit of GIN index matches that are read, filtered and sorted. With more matches, a scan in the list's order soon
 * finds a page of them.
 */
const FEW_MATCHES = 2_000;

/**
 * Selects the tenant's jobs after the row with the keys `after`, at most `take` rows. It reads tenant_jobs, because row
 * security on jobs would exclude the GIN indexes for text and skills (the migration explains why).
 */
export function listJobs(
  query: ListJobsDto,
  after: readonly CursorKey[] | undefined,
  take: number,
): [sql: string, values: unknown[], options: QueryOptions] {
  const order = ORDERS[query.sort];
  const values: unknown[] = [];
  const words = addWordConditions(query, new Conditions(values));
  const hasRange = [query.budgetMin, query.budgetMax, query.hourlyRateMin, query.hourlyRateMax].some(
    (end) => end !== undefined,
  );
  const others = addFilterConditions(query, new Conditions(values)).after(
    `${order.expression}, id`,
    order.isDescending ? '<' : '>',
    [order.type, 'bigint'],
    after,
  );
  const limit = `LIMIT ${others.value(take)}`;
  if (!words.isEmpty) return [buildMatchesPage(order, words.all, others.all, limit), values, { planned: 'once' }];
  // Only the value shows whether an amount is rare enough for the index of budgets.
  const options: QueryOptions = hasRange ? { planned: 'eachTime' } : {};
  return [
    `SELECT ${COLUMNS}, ${order.key} AS "sortKey" FROM tenant_jobs ${others.where} ${buildOrderBy(order)} ${limit}`,
    values,
    options,
  ];
}

/**
 * Builds the statement for a page of text or skill matches. The number of matches decides the better path and is known
 * only at run time, so one plan contains both paths; a plan for each value costs more than its execution. LIMIT makes
 * the planner use the GIN index and bounds it. CASE hides that index from the scan and makes the planner expect that
 * every other row matches.
 */
function buildMatchesPage(order: Order, words: string, others: string, limit: string): string {
  const scanned = order.isIndexed ? `CASE WHEN ${words} THEN true END` : words;
  return `WITH found AS MATERIALIZED (
      SELECT id, ${order.expression} AS key, ${others} AS fits
      FROM (SELECT * FROM tenant_jobs WHERE ${words} LIMIT ${FEW_MATCHES + 1}) AS job)
    SELECT ${COLUMNS}, ${order.key} AS "sortKey" FROM tenant_jobs
    WHERE id = ANY (CASE WHEN EXISTS (SELECT FROM found OFFSET ${FEW_MATCHES})
      THEN ARRAY(SELECT id FROM tenant_jobs WHERE ${scanned} AND ${others} ${buildOrderBy(order)} ${limit})
      ELSE ARRAY(SELECT id FROM found WHERE fits ${buildOrderBy({ ...order, expression: 'key' })} ${limit}) END)
    ${buildOrderBy(order)}`;
}

function buildOrderBy({ expression, isDescending }: Order): string {
  const direction = isDescending ? 'DESC' : 'ASC';
  return `ORDER BY ${expression} ${direction}, id ${direction}`;
}

/** Adds the conditions that the GIN indexes serve. */
function addWordConditions(query: ListJobsDto, conditions: Conditions): Conditions {
  return (
    conditions
      // A sub-select is evaluated once instead of for each row.
      .add('search @@ (SELECT app.search_query($?))', query.q)
      .add('skills @> $?', anyOf(query.skills))
      .add('skills && $?', anyOf(query.anySkills))
  );
}

function addFilterConditions(query: ListJobsDto, conditions: Conditions): Conditions {
  conditions
    .add('category = $?', query.category)
    .add('subcategory = $?', query.subcategory)
    .add('country = $?', query.country)
    .add(buildRangeEndCondition('budget'), amount(query.budgetMin))
    .add(buildRangeStartCondition('budget'), amount(query.budgetMax))
    .add(buildRangeEndCondition('hourly_rate'), amount(query.hourlyRateMin))
    .add(buildRangeStartCondition('hourly_rate'), amount(query.hourlyRateMax))
    .add('created_at >= $?', query.createdFrom)
    // The API returns milliseconds; the column has microseconds.
    .add(`created_at < $?::timestamptz + interval '1 millisecond'`, query.createdTo);
  // Written into the SQL, because the partial index of favourites cannot serve a parameter.
  if (query.isFavorite !== undefined) conditions.always(query.isFavorite ? 'is_favorite' : 'NOT is_favorite');
  conditions
    .anyOf('job_type', query.jobType)
    .anyOf('experience_level', query.experienceLevel)
    .anyOf('status', query.status);
  if (!anyOf(query.status)) conditions.add('status <> $?', 'deleted');
  return conditions;
}

/** Builds the condition for a range that ends at or above the value. A missing end has no limit. */
function buildRangeEndCondition(range: 'budget' | 'hourly_rate'): string {
  const [min, max] = [`${range}_min_hundredths`, `${range}_max_hundredths`];
  return `(${max} >= $? OR (${max} IS NULL AND ${min} IS NOT NULL))`;
}

/** Builds the condition for a range that starts at or below the value. A missing end has no limit. */
function buildRangeStartCondition(range: 'budget' | 'hourly_rate'): string {
  const [min, max] = [`${range}_min_hundredths`, `${range}_max_hundredths`];
  return `(${min} <= $? OR (${min} IS NULL AND ${max} IS NOT NULL))`;
}

function amount(money: string | undefined): number | undefined {
  return money === undefined ? undefined : toHundredths(money);
}

/** Returns undefined for a list without values, which is not a filter. */
function anyOf<T>(values: readonly T[] | undefined): readonly T[] | undefined {
  return values && values.length > 0 ? values : undefined;
}

function byCreation(): Omit<Order, 'isDescending'> {
  return { expression: 'created_at', key: 'created_at::text', type: 'timestamptz', isIndexed: true };
}

function byAmount(column: 'budget_max' | 'hourly_rate_max', none: string): Omit<Order, 'isDescending'> {
  const expression = `coalesce(${column}_hundredths, ${none})`;
  return { expression, key: expression, type: 'bigint', isIndexed: false };
}
