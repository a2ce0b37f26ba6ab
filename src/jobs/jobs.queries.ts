import { Conditions } from '../platform/database/conditions';
import { buildSelectList } from '../platform/database/base.entity';
import type { QueryOptions } from '../platform/database/unit-of-work';
import { listFields } from '../platform/http/openapi/dto-fields';
import type { CursorKey } from '../platform/http/pagination/keyset-page';
import { toHundredths } from '../platform/http/validation/money';
import { Job } from './job.entity';
import { JobDto } from './jobs.dto';
import type { ListJobsDto } from './jobs-list.dto';
import type { JobSort } from './job-values';

/** A row of a list: the job and its sort value. */
export interface JobRow extends JobDto {
  readonly sortKey: CursorKey;
}

/** A sort order: an expression that is never NULL, its form in a cursor, and its direction. */
interface Order {
  readonly expression: string;
  readonly key: string;
  readonly type: 'timestamptz' | 'bigint' | 'numeric' | 'double precision' | 'text';
  readonly isDescending: boolean;
  /** True when an index of the tenant's jobs has this order. */
  readonly isIndexed: boolean;
}

const COLUMNS = buildSelectList(Job, listFields(JobDto));

/** Values beyond any amount, so that jobs without one come last in both directions. */
const NO_AMOUNT = { ascending: '99999999999', descending: '-1' };

/**
 * Facts of sorts, with an index each. They are never NULL: a job without the fact has a value after all others. CASE,
 * because PostgreSQL takes coalesce() for a function that may reveal a row, and so uses no index under row security.
 */
const POSTED_AT = `CASE WHEN posted_at IS NULL THEN '-infinity' ELSE posted_at END`;
const CLIENT_SPENT = 'CASE WHEN client_spent IS NULL THEN -1 ELSE client_spent END';
const CLIENT_RATING = 'CASE WHEN client_rating IS NULL THEN -1 ELSE client_rating END';
const APPLICANTS = 'CASE WHEN applicants IS NULL THEN 2147483647 ELSE applicants END';

/** The API returns milliseconds; the column has microseconds. */
const BEFORE_POSTED_TO = `${POSTED_AT} > '-infinity' AND ${POSTED_AT} < $?::timestamptz + interval '1 millisecond'`;

const ORDERS: Readonly<Record<JobSort, Order>> = {
  createdAt: { ...byCreation(), isDescending: false },
  '-createdAt': { ...byCreation(), isDescending: true },
  budgetMax: { ...byAmount('budget_max', NO_AMOUNT.ascending), isDescending: false },
  '-budgetMax': { ...byAmount('budget_max', NO_AMOUNT.descending), isDescending: true },
  hourlyRateMax: { ...byAmount('hourly_rate_max', NO_AMOUNT.ascending), isDescending: false },
  '-hourlyRateMax': { ...byAmount('hourly_rate_max', NO_AMOUNT.descending), isDescending: true },
  title: { expression: 'title', key: 'title', type: 'text', isDescending: false, isIndexed: false },
  '-title': { expression: 'title', key: 'title', type: 'text', isDescending: true, isIndexed: false },
  '-postedAt': { ...byFact(POSTED_AT, 'timestamptz'), isDescending: true },
  '-clientSpent': { ...byFact(CLIENT_SPENT, 'numeric'), isDescending: true },
  '-clientRating': { ...byFact(CLIENT_RATING, 'double precision'), isDescending: true },
  applicants: { ...byFact(APPLICANTS, 'bigint'), isDescending: false },
};

/** A filter that an index serves. */
interface IndexedFilter {
  readonly where: string;
  /** The expression by which the index is sorted; undefined for a GIN index, which has no order. */
  readonly expression?: string;
  /** The order of the index. */
  readonly orderBy: string;
}

/**
 * Limit of matches of an index that are read, filtered and sorted. With more matches, a scan in the list's order soon
 * finds a page of them, unless nearly all are at the end of that order.
 */
const FEW_MATCHES = 2_000;

/**
 * Selects the tenant's jobs after the row with the keys `after`, at most `take` rows. Under row security the GIN
 * indexes serve text and skills only because bootstrap.sql marks their operators as leakproof.
 */
export function listJobs(
  query: ListJobsDto,
  after: readonly CursorKey[] | undefined,
  take: number,
): [sql: string, values: unknown[], options: QueryOptions] {
  const order = ORDERS[query.sort];
  const values: unknown[] = [];
  const indexed = listIndexedFilters(query, values);
  const lookups = indexed.filter((filter) => isLookup(filter, order));
  const others = addFilterConditions(query, new Conditions(values)).after(
    `${order.expression}, id`,
    order.isDescending ? '<' : '>',
    [order.type, 'bigint'],
    after,
  );
  for (const filter of indexed) if (!lookups.includes(filter)) others.always(filter.where);
  const limit = `LIMIT ${others.value(take)}`;
  if (lookups.length > 0) return [buildMatchesPage(order, lookups, others.all, limit), values, { planned: 'once' }];
  return [
    `SELECT ${COLUMNS}, ${order.key} AS "sortKey" FROM jobs ${others.where} ${buildOrderBy(order)} ${limit}`,
    values,
    hasRange(query) ? { planned: 'eachTime' } : {},
  ];
}

/** Returns true when only the value shows whether it is rare enough for the index of its range. */
function hasRange(query: ListJobsDto): boolean {
  const { budgetMin, budgetMax, hourlyRateMin, hourlyRateMax, postedFrom, postedTo } = query;
  const { clientSpentMin, clientRatingMin, clientHiresMin, applicantsMax } = query;
  const ends = [budgetMin, budgetMax, hourlyRateMin, hourlyRateMax, postedFrom, postedTo];
  return [...ends, clientSpentMin, clientRatingMin, clientHiresMin, applicantsMax].some((end) => end !== undefined);
}

/** Returns false for a filter whose index has the list's order, and for one of a list that sorts all its matches. */
function isLookup({ expression }: IndexedFilter, order: Order): boolean {
  return expression === undefined || (order.isIndexed && expression !== order.expression);
}

/**
 * Builds the statement for a page of matches that are not indexed in the list's order. The number of matches decides
 * the better path and is known only at run time, so one plan contains all paths; a plan for each value costs more than
 * its execution. LIMIT makes the planner use the filter's index and bounds it. CASE hides that index from the scan and
 * makes the planner expect that every other row matches.
 */
function buildMatchesPage(order: Order, lookups: readonly IndexedFilter[], others: string, limit: string): string {
  const found = lookups.map((filter, at) => {
    const fits = [...lookups.filter((other) => other !== filter).map(({ where }) => where), others].join(' AND ');
    return `found${at} AS MATERIALIZED (
      SELECT id, ${order.expression} AS key, ${fits} AS fits
      FROM (SELECT * FROM jobs WHERE ${filter.where} ${filter.orderBy} LIMIT ${FEW_MATCHES + 1}) AS job)`;
  });
  const ways = lookups.map(
    (_, at) => `WHEN NOT EXISTS (SELECT FROM found${at} OFFSET ${FEW_MATCHES})
      THEN ARRAY(SELECT id FROM found${at} WHERE fits ${buildOrderBy({ ...order, expression: 'key' })} ${limit})`,
  );
  const scanned = lookups.map(({ where }) => (order.isIndexed ? `CASE WHEN ${where} THEN true END` : where));
  return `WITH ${found.join(', ')}
    SELECT ${COLUMNS}, ${order.key} AS "sortKey" FROM jobs
    WHERE id = ANY (CASE ${ways.join(' ')}
      ELSE ARRAY(SELECT id FROM jobs WHERE ${scanned.join(' AND ')} AND ${others}
        ${buildOrderBy(order)} ${limit}) END)
    ${buildOrderBy(order)}`;
}

function buildOrderBy({ expression, isDescending }: Order): string {
  const direction = isDescending ? 'DESC' : 'ASC';
  return `ORDER BY ${expression} ${direction}, id ${direction}`;
}

/** Returns the filters that an index serves, except those of budgets, which the planner weighs. */
function listIndexedFilters(query: ListJobsDto, values: unknown[]): IndexedFilter[] {
  const add = (): Conditions => new Conditions(values);
  const words = addWordConditions(query, add());
  const filters: [conditions: Conditions, expression?: string, direction?: 'ASC' | 'DESC'][] = [
    [words],
    ...listCreationFilters(query, add).map((filter): [Conditions, string] => [filter, 'created_at']),
    [add().add(`${POSTED_AT} >= $?`, query.postedFrom).add(BEFORE_POSTED_TO, query.postedTo), POSTED_AT],
    [add().add(`${CLIENT_SPENT} >= $?`, query.clientSpentMin), CLIENT_SPENT],
    [add().add(`${CLIENT_RATING} >= $?`, query.clientRatingMin), CLIENT_RATING],
    [add().add('client_hires >= $?', query.clientHiresMin), 'client_hires'],
    [add().add(`${APPLICANTS} <= $?`, query.applicantsMax), APPLICANTS, 'ASC'],
  ];
  return filters
    .filter(([conditions]) => !conditions.isEmpty)
    .map(([conditions, expression, direction = 'DESC']) => ({
      where: conditions.all,
      expression,
      orderBy: expression === undefined ? '' : `ORDER BY ${expression} ${direction}, id ${direction}`,
    }));
}

/** Returns the filters whose indexes have the order of creation. */
function listCreationFilters(query: ListJobsDto, add: () => Conditions): Conditions[] {
  // Written into the SQL, because a partial index cannot serve a parameter.
  const favorite =
    query.isFavorite === undefined ? add() : add().always(query.isFavorite ? 'is_favorite' : 'NOT is_favorite');
  const open = query.excludeFilled ? add().always('is_filled IS NOT TRUE') : add();
  return [
    add().anyOf('status', query.status),
    add().add('category = $?', query.category),
    add().add('client_payment_verified IS NOT NULL AND client_payment_verified = $?', query.paymentVerified),
    favorite,
    open,
  ];
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
    .add('subcategory = $?', query.subcategory)
    .add('country = $?', query.country)
    .add(buildRangeEndCondition('budget'), amount(query.budgetMin))
    .add(buildRangeStartCondition('budget'), amount(query.budgetMax))
    .add(buildRangeEndCondition('hourly_rate'), amount(query.hourlyRateMin))
    .add(buildRangeStartCondition('hourly_rate'), amount(query.hourlyRateMax))
    .add('created_at >= $?', query.createdFrom)
    // The API returns milliseconds; the column has microseconds.
    .add(`created_at < $?::timestamptz + interval '1 millisecond'`, query.createdTo);
  conditions.anyOf('job_type', query.jobType).anyOf('experience_level', query.experienceLevel);
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

function byFact(expression: string, type: Order['type']): Omit<Order, 'isDescending'> {
  return { expression, key: type === 'timestamptz' ? `${expression}::text` : expression, type, isIndexed: true };
}

function byAmount(column: 'budget_max' | 'hourly_rate_max', none: string): Omit<Order, 'isDescending'> {
  const expression = `coalesce(${column}_hundredths, ${none})`;
  return { expression, key: expression, type: 'bigint', isIndexed: false };
}
