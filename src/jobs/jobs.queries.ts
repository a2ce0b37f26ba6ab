import { Conditions } from '../platform/database/conditions';
import type { QueryOptions } from '../platform/database/unit';
import type { CursorKey } from '../platform/http/cursor-codec';
import { hundredths } from '../platform/http/money-field';
import type { JobDto } from './dto/job.dto';
import type { ListJobsDto } from './dto/list-jobs.dto';
import type { JobSort } from './job-values';

/** A row of a list: the job as it is shown, and its place in the list's order. */
export interface JobRow extends JobDto {
  readonly sortKey: CursorKey;
}

/** How a list is ordered: an expression that is never NULL, as a cursor keeps it, and its direction. */
interface Order {
  readonly expression: string;
  readonly key: string;
  readonly type: 'timestamptz' | 'bigint' | 'text';
  readonly isDescending: boolean;
}

const COLUMNS = `id, upwork_job_id AS "upworkJobId", title, description, budget_min AS "budgetMin", budget_max AS "budgetMax",
  hourly_rate_min AS "hourlyRateMin", hourly_rate_max AS "hourlyRateMax", currency, skills, category, subcategory, country,
  client_info AS "clientInfo", job_type AS "jobType", experience_level AS "experienceLevel", duration, workload, status,
  is_favorite AS "isFavorite", version, created_at AS "createdAt", updated_at AS "updatedAt"`;

/** Beyond any amount: what has none comes last in both directions. */
const NO_AMOUNT = { ascending: '99999999999', descending: '-1' };

const ORDERS: Readonly<Record<JobSort, Order>> = {
  createdAt: { ...byCreation(), isDescending: false },
  '-createdAt': { ...byCreation(), isDescending: true },
  budgetMax: { ...byAmount('budget_max', NO_AMOUNT.ascending), isDescending: false },
  '-budgetMax': { ...byAmount('budget_max', NO_AMOUNT.descending), isDescending: true },
  hourlyRateMax: { ...byAmount('hourly_rate_max', NO_AMOUNT.ascending), isDescending: false },
  '-hourlyRateMax': { ...byAmount('hourly_rate_max', NO_AMOUNT.descending), isDescending: true },
  title: { expression: 'title', key: 'title', type: 'text', isDescending: false },
  '-title': { expression: 'title', key: 'title', type: 'text', isDescending: true },
};

/**
 * Returns the statement that reads a page of the tenant's jobs, behind the row with the keys `after`. It reads own_jobs,
 * through which the GIN indexes serve text and skills (the migration says why row security would not let them). How many
 * jobs have a word or a skill decides which index is best, so those statements are planned for their values.
 */
export function listJobs(
  query: ListJobsDto,
  after: readonly CursorKey[] | undefined,
  take: number,
): [sql: string, values: unknown[], options: QueryOptions] {
  const { expression, key, type, isDescending } = ORDERS[query.sort];
  const direction = isDescending ? 'DESC' : 'ASC';
  const conditions = filtersOf(query).after(`${expression}, id`, isDescending ? '<' : '>', [type, 'bigint'], after);
  const sql = `SELECT ${COLUMNS}, ${key} AS "sortKey" FROM own_jobs ${conditions.where}
    ORDER BY ${expression} ${direction}, id ${direction} LIMIT ${conditions.value(take)}`;
  const isPlannedAnew = [query.q, some(query.skills), some(query.anySkills)].some((filter) => filter !== undefined);
  return [sql, conditions.values, { isPlannedAnew }];
}

function filtersOf(query: ListJobsDto): Conditions {
  const conditions = new Conditions()
    .add('search @@ app.search_query($?)', query.q)
    .add('category = $?', query.category)
    .add('subcategory = $?', query.subcategory)
    .add('country = $?', query.country)
    .add('skills @> $?', some(query.skills))
    .add('skills && $?', some(query.anySkills))
    .add(reaches('budget'), amount(query.budgetMin))
    .add(begins('budget'), amount(query.budgetMax))
    .add(reaches('hourly_rate'), amount(query.hourlyRateMin))
    .add(begins('hourly_rate'), amount(query.hourlyRateMax))
    .add('is_favorite = $?', query.isFavorite)
    .add('created_at >= $?', query.createdFrom)
    // Instants are shown in milliseconds and kept in microseconds.
    .add(`created_at < $?::timestamptz + interval '1 millisecond'`, query.createdTo);
  addAnyOf(conditions, 'job_type', query.jobType);
  addAnyOf(conditions, 'experience_level', query.experienceLevel);
  addAnyOf(conditions, 'status', some(query.status));
  if (!some(query.status)) conditions.add('status <> $?', 'deleted');
  return conditions;
}

/** One value is compared by =, which keeps the order of an index that goes on behind the column. */
function addAnyOf(conditions: Conditions, column: 'status' | 'job_type' | 'experience_level', values?: readonly string[]): void {
  if (values?.length === 1) conditions.add(`${column} = $?`, values[0]);
  else conditions.add(`${column} = ANY ($?)`, some(values));
}

/** A range whose upper end is at or above the value; an end left open has no limit. */
function reaches(range: 'budget' | 'hourly_rate'): string {
  const [min, max] = [`${range}_min_hundredths`, `${range}_max_hundredths`];
  return `(${max} >= $? OR (${max} IS NULL AND ${min} IS NOT NULL))`;
}

/** A range whose lower end is at or below the value; an end left open has no limit. */
function begins(range: 'budget' | 'hourly_rate'): string {
  const [min, max] = [`${range}_min_hundredths`, `${range}_max_hundredths`];
  return `(${min} <= $? OR (${min} IS NULL AND ${max} IS NOT NULL))`;
}

function amount(money: string | undefined): number | undefined {
  return money === undefined ? undefined : hundredths(money);
}

/** A list parameter without values is no filter. */
function some<T>(values: readonly T[] | undefined): readonly T[] | undefined {
  return values && values.length > 0 ? values : undefined;
}

function byCreation(): Omit<Order, 'isDescending'> {
  return { expression: 'created_at', key: 'created_at::text', type: 'timestamptz' };
}

function byAmount(column: 'budget_max' | 'hourly_rate_max', none: string): Omit<Order, 'isDescending'> {
  const expression = `coalesce(${column}_hundredths, ${none})`;
  return { expression, key: expression, type: 'bigint' };
}
