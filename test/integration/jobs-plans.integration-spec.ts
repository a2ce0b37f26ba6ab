import type { QueryResultRow } from 'pg';
import { ListJobsDto } from '../../src/jobs/jobs-list.dto';
import { JOB_SORTS, type JobSort } from '../../src/jobs/job-values';
import { listJobs } from '../../src/jobs/jobs.queries';
import type { CursorKey } from '../../src/platform/http/pagination/keyset-page';
import { explainAs, PLAN_MODES, countRowsRead, type PlanNode } from '../support/query-plans';
import { createTestDatabase, type TestDatabase } from '../support/test-database';
import { setTenant } from '../support/signed-context';

/** Jobs of the largest tenant: reading all of them is expensive, and creating them takes a second. */
const MANY = 10_000;

/** Facts of every second job. Few have a high or a low value; these are of all ages. */
const FACTS = [
  `timestamptz '2026-01-01Z' + n * 7919 % ${MANY} * interval '1 minute'`,
  `n * 7919 % ${MANY}`,
  `CASE WHEN n % 1000 = 1 THEN 5 ELSE n * 7919 % 450 / 100.0 END`,
  `n * 7919 % ${MANY}`,
  `n % 400 = 1`,
  `n * 3571 % ${MANY}`,
  'true',
].map((value) => `CASE WHEN n % 2 = 1 THEN ${value} END`);

/** Limit of rows a page may read: the page, and rows that an index cannot distinguish. */
const FEW = 400;

/**
 * Counts rows, not milliseconds: a plan that reads the whole tenant reads 10,000 here and 400,000 there. Both kinds of
 * plan are asked for, since a named statement gets a generic one from its sixth run on.
 */
describe('lists of a tenant with many jobs', () => {
  let db: TestDatabase;
  let tenant: number;
  let middle: [string, number];
  let oldest: [string, number];

  beforeAll(async () => {
    db = await createTestDatabase();
    const users = await db.query<{ id: number }>(
      'superuser',
      `INSERT INTO users (email, encrypted_password, is_verified)
       SELECT 'user' || n || '@example.com', 'none', true FROM generate_series(0, 200) AS n RETURNING id`,
    );
    tenant = users[0]!.id;
    await db.transaction('superuser', async (client) => {
      // Plans depend on no trigger, and the audit of the rows would take most of the time.
      await client.query('SET LOCAL session_replication_role = replica');
      await client.query(
        `INSERT INTO jobs (user_id, source_key, title, skills, category, is_favorite, status, budget_min, budget_max,
           created_at, posted_at, client_spent, client_rating, client_hires, client_payment_verified, applicants,
           is_filled)
         SELECT u, 'upwork:' || u || '-' || n,
           'Job ' || n || ' word' || n % 400 || CASE WHEN n % 9 = 0 THEN ' most' ELSE '' END,
           ARRAY['common', 'skill' || n % 400], 'Category ' || n % 200, n % 1000 = 0,
           CASE WHEN n % 100 = 0 THEN 'archived' ELSE 'active' END, n, n + 10,
           timestamptz '2026-01-01Z' + n * interval '1 minute', ${FACTS.join(', ')}
         FROM unnest($1::bigint[]) WITH ORDINALITY AS users (u, place),
           generate_series(1, CASE place WHEN 1 THEN ${MANY} ELSE 20 END) AS n`,
        [users.map(({ id }) => id)],
      );
    });
    await db.query('superuser', 'VACUUM ANALYZE jobs');
    const [row] = await db.query<{ key: string; id: number }>(
      'superuser',
      `SELECT created_at::text AS key, id FROM jobs
       WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET ${MANY / 2}`,
      [tenant],
    );
    middle = [row!.key, row!.id];
    oldest = ['2026-01-01 00:10:00+00', row!.id];
  });
  afterAll(() => db.end());

  const planOf = (
    values: Partial<ListJobsDto>,
    after: [string, number] | undefined,
    mode: string,
  ): Promise<PlanNode> => {
    const [sql, parameters, { planned }] = listJobs(Object.assign(new ListJobsDto(), values), after, 21);
    const ownMode = planned === 'once' ? 'force_generic_plan' : 'force_custom_plan';
    return explainAs(db, tenant, planned === undefined ? mode : ownMode, sql, parameters);
  };

  const rowsReadBy = async (...list: Parameters<typeof planOf>): Promise<number> =>
    countRowsRead(await planOf(...list), 'jobs');

  const blocksReadBy = async (values: Partial<ListJobsDto>): Promise<number> => {
    const plan = await planOf(values, undefined, 'auto');
    return plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
  };

  const asTenant = <Row extends QueryResultRow>(sql: string, values: unknown[]): Promise<Row[]> =>
    db.transaction('app', async (client) => {
      await setTenant(client, tenant);
      return (await client.query<Row>(sql, values)).rows;
    });

  /** Returns the ids of a page and the place after it. */
  const readPage = async (
    values: Partial<ListJobsDto>,
    after?: CursorKey[],
  ): Promise<[ids: number[], last: CursorKey[] | undefined]> => {
    const [sql, parameters] = listJobs(Object.assign(new ListJobsDto(), values), after, 21);
    const rows = await asTenant<{ id: number; sortKey: CursorKey }>(sql, parameters);
    const last = rows.at(-1);
    return [rows.map(({ id }) => id), last && [last.sortKey, last.id]];
  };

  /** Returns the ids of all jobs in an order, from the list without filters, which uses no GIN index. */
  const listAll = memoize(async (sort: JobSort): Promise<number[]> => {
    const values = Object.assign(new ListJobsDto(), { sort, status: ['active', 'archived'] });
    const [sql, parameters] = listJobs(values, undefined, MANY);
    const [list] = await asTenant<{ ids: number[] }>(`SELECT json_agg(id) AS ids FROM (${sql}) AS list`, parameters);
    return list!.ids;
  });

  const findMatches = memoize(async (condition: string): Promise<ReadonlySet<number>> => {
    const sql = `SELECT json_agg(id) AS ids FROM jobs WHERE user_id = $1 AND ${condition}`;
    const [found] = await db.query<{ ids: number[] }>('superuser', sql, [tenant]);
    return new Set(found!.ids);
  });

  type Filter = [Partial<ListJobsDto>, condition: string];

  // Filters of words and skills that match a few jobs, slightly more than the two thousand that are sorted, and most.
  const textFilters: Filter[] = [
    [{ skills: ['skill7'] }, `skills @> '{skill7}'`],
    [{ q: 'word7' }, `search @@ app.search_query('word7')`],
    [{ q: 'most', status: ['active'] }, `search @@ app.search_query('most') AND status = 'active'`],
    [{ skills: ['common'], q: 'job' }, `skills @> '{common}' AND search @@ app.search_query('job')`],
  ];

  // Filters of facts, each with few and with many matches.
  const factFilters: Filter[] = [
    [{ clientSpentMin: '19900.00' }, 'client_spent >= 19900'],
    [{ clientSpentMin: '0.01', excludeFilled: true }, 'client_spent > 0 AND is_filled IS NOT TRUE'],
    [{ applicantsMax: 15_000, clientRatingMin: 0.5 }, 'applicants <= 15000 AND client_rating >= 0.5'],
    [{ clientHiresMin: 10_000, paymentVerified: true }, 'client_hires >= 10000 AND client_payment_verified'],
    [{ postedTo: new Date('2026-01-01T12:00:00Z') }, `posted_at <= '2026-01-01T12:00:00Z'`],
    [{ postedFrom: new Date('2026-01-02Z'), skills: ['common'] }, `posted_at >= '2026-01-02Z'`],
  ];

  async function expectAllMatches(filters: readonly Filter[], sort: JobSort): Promise<void> {
    const all = await listAll(sort);
    expect(all).toHaveLength(MANY);
    for (const [values, condition] of filters) {
      const seen: number[] = [];
      for (let after: CursorKey[] | undefined, page = 0; page < 3; page++) {
        const [ids, last] = await readPage({ ...values, sort }, after);
        seen.push(...ids);
        after = last;
      }
      const matches = await findMatches(condition);

      expect(seen).toEqual(all.filter((id) => matches.has(id)).slice(0, 63));
    }
  }

  it.each(JOB_SORTS)('text and skills find all matches, sorted by %s, page by page', (sort) =>
    expectAllMatches(textFilters, sort),
  );

  it.each(JOB_SORTS)('facts find all matches, sorted by %s, page by page', (sort) =>
    expectAllMatches(factFilters, sort),
  );

  it('reads few more rows after thousands of writes, which a GIN index may keep in its pending list', async () => {
    const searches = [{ skills: ['skill7'] }, { q: 'word7' }] satisfies Partial<ListJobsDto>[];
    const before = [await blocksReadBy(searches[0]!), await blocksReadBy(searches[1]!)];
    await db.query(
      'superuser',
      `INSERT INTO jobs (user_id, source_key, title, skills)
       SELECT (SELECT max(id) FROM users), 'upwork:late-' || n, 'A late job of many different words ' || n,
         ARRAY['go', 'sql', 'late' || n]
       FROM generate_series(1, 4000) AS n`,
    );

    expect((await blocksReadBy(searches[0]!)) - before[0]!).toBeLessThan(5);
    expect((await blocksReadBy(searches[1]!)) - before[1]!).toBeLessThan(40);
  });

  const cases = [
    ['the newest', {}],
    ['the oldest', { sort: 'createdAt' }],
    ['of a rare status', { status: ['archived'] }],
    ['of a common status', { status: ['active'] }],
    ['of a category', { category: 'Category 7' }],
    ['since a late hour', { createdFrom: new Date('2026-01-14T21:00:00Z') }],
    ['with a rare skill', { skills: ['skill7'] }],
    ['with any of rare skills', { anySkills: ['skill7', 'skill8'] }],
    ['with a rare word', { q: 'word7' }],
    ['with a high budget', { budgetMin: '19990.00' }],
    ['with a budget that nobody offers', { budgetMin: '90000.00' }],
    ['with a low budget', { budgetMax: '5.00' }],
    ['of a status, with a narrow budget', { status: ['active'], budgetMin: '100.00', budgetMax: '120.00' }],
    ['of the favourites', { isFavorite: true }],
    ['of what is no favourite', { isFavorite: false }],
    ['posted since a late hour', { postedFrom: new Date('2026-01-14T21:00:00Z') }],
    ['posted up to an early hour', { postedTo: new Date('2026-01-01T00:20:00Z') }],
    ['of clients who spent most', { clientSpentMin: '19990.00' }],
    ['of clients with the best rating', { clientRatingMin: 5 }],
    ['of clients with most hires', { clientHiresMin: 19_990 }],
    ['of clients with a verified payment method', { paymentVerified: true }],
    ['of clients without one', { paymentVerified: false }],
    ['with few applicants', { applicantsMax: 10 }],
    ['that are not filled', { excludeFilled: true }],
    ['not filled, of verified clients', { excludeFilled: true, paymentVerified: true }],
    ['the latest posted', { sort: '-postedAt' }],
    ['the largest clients', { sort: '-clientSpent' }],
    ['the best clients', { sort: '-clientRating' }],
    ['the fewest applicants', { sort: 'applicants' }],
    ['the latest posted of a rare status', { sort: '-postedAt', status: ['archived'] }],
    ['the latest posted of a category', { sort: '-postedAt', category: 'Category 7' }],
    ['the latest posted of verified clients', { sort: '-postedAt', paymentVerified: true }],
    ['the latest posted by the largest clients', { sort: '-postedAt', clientSpentMin: '19900.00' }],
    ['of a status, with a rare skill and a budget', { status: ['active'], skills: ['skill7'], budgetMin: '100.00' }],
  ] satisfies [string, Partial<ListJobsDto>][];

  describe.each(PLAN_MODES)('%s', (mode) => {
    it.each(cases)('%s: reads few rows', async (_, values) => {
      expect(await rowsReadBy(values, undefined, mode)).toBeLessThan(FEW);
    });

    it('with a common skill: looks up two thousand, then scans in the order', async () => {
      expect(await rowsReadBy({ skills: ['common'] }, undefined, mode)).toBeLessThan(2_001 + FEW);
      expect(await rowsReadBy({ q: 'job', sort: 'createdAt' }, undefined, mode)).toBeLessThan(2_001 + FEW);
      expect(
        await rowsReadBy({ skills: ['common'], status: ['active'], budgetMin: '100.00' }, middle, mode),
      ).toBeLessThan(2_001 + FEW);
      expect(await rowsReadBy({ skills: ['common'], category: 'Category 7' }, oldest, mode)).toBeLessThan(2_001 + FEW);
    });

    it('with facts of most jobs: looks up two thousand of each filter, then scans in the order', async () => {
      const common = { clientSpentMin: '1.00', clientRatingMin: 0.01, applicantsMax: 19_000 };
      expect(await rowsReadBy(common, undefined, mode)).toBeLessThan(3 * 2_001 + FEW);
      expect(await rowsReadBy({ ...common, sort: '-clientSpent' }, undefined, mode)).toBeLessThan(2 * 2_001 + FEW);
      expect(await rowsReadBy({ ...common, applicantsMax: 10 }, undefined, mode)).toBeLessThan(2 * 2_001 + FEW);
    });

    it('a page in the middle reads no more than the first', async () => {
      expect(await rowsReadBy({}, middle, mode)).toBeLessThan(FEW);
      expect(await rowsReadBy({ status: ['active'] }, middle, mode)).toBeLessThan(FEW);
      expect(await rowsReadBy({ sort: '-postedAt' }, middle, mode)).toBeLessThan(FEW);
      expect(await rowsReadBy({ sort: '-postedAt' }, ['-infinity', middle[1]], mode)).toBeLessThan(FEW);
    });
  });
});

/** Runs `work` once for each argument. */
function memoize<Key, Value>(work: (key: Key) => Promise<Value>): (key: Key) => Promise<Value> {
  const results = new Map<Key, Promise<Value>>();
  return (key) => {
    const result = results.get(key) ?? work(key);
    results.set(key, result);
    return result;
  };
}
