import type { ClientBase } from 'pg';
import { ListJobsDto } from '../../src/jobs/jobs-list.dto';
import { listJobs } from '../../src/jobs/jobs.queries';
import { createTestDatabase, type TestDatabase } from '../support/test-database';
import { setTenant } from '../support/signed-context';

/** Builds a validated query. */
const buildQuery = (values: Partial<ListJobsDto>): ListJobsDto => Object.assign(new ListJobsDto(), values);

describe(listJobs.name, () => {
  let db: TestDatabase;
  const tenants: number[] = [];

  beforeAll(async () => {
    db = await createTestDatabase();
    const users = await db.query<{ id: number }>(
      'superuser',
      `INSERT INTO users (email, encrypted_password, is_verified)
       SELECT 'user' || n || '@example.com', 'none', true FROM generate_series(1, 5) AS n RETURNING id`,
    );
    tenants.push(...users.map(({ id }) => id));
    // The last tenant has none. The others are alike, because the planner knows only their average.
    await db.transaction('superuser', async (client) => {
      // Plans depend on no trigger, and the audit of the rows would take most of the time.
      await client.query('SET LOCAL session_replication_role = replica');
      await client.query(
        `INSERT INTO jobs (user_id, source_key, title, description, skills, category, status, budget_min, budget_max,
           created_at)
         SELECT u, 'upwork:' || n, 'Job ' || n, repeat('lorem ipsum dolor ', 20) || 'word' || n % 500,
           ARRAY['common', 'skill' || n % 500], 'Category ' || n % 50,
           CASE WHEN n % 10 = 0 THEN 'archived' ELSE 'active' END, n, n + 10, now() - n * interval '1 minute'
         FROM unnest($1::bigint[]) AS u, generate_series(1, 2500) AS n`,
        [tenants.slice(0, -1)],
      );
    });
    await db.query('superuser', 'ANALYZE jobs');
  });
  afterAll(() => db.end());

  const asTenant = <T>(tenant: number | undefined, work: (client: ClientBase) => Promise<T>): Promise<T> =>
    db.transaction('app', async (client) => {
      if (tenant !== undefined) await setTenant(client, tenant);
      return work(client);
    });

  const planOf = (values: Partial<ListJobsDto>): Promise<string> =>
    asTenant(tenants[0], async (client) => {
      const [sql, parameters] = listJobs(buildQuery(values), undefined, 21);
      const { rows } = await client.query<Record<string, string>>(
        `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) ${sql}`,
        parameters,
      );
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    });

  it.each([
    ['without a filter', {}, 'idx_jobs_created_at'],
    ['oldest first', { sort: 'createdAt' }, 'idx_jobs_created_at'],
    ['of a status', { status: ['archived'] }, 'idx_jobs_status'],
    ['of the favourites', { isFavorite: true }, 'idx_jobs_favorites'],
    ['of a category', { category: 'Category 7' }, 'idx_jobs_category'],
    ['with a rare skill', { skills: ['skill7'] }, 'idx_jobs_skills'],
    ['with any of rare skills', { anySkills: ['skill7', 'skill8'] }, 'idx_jobs_skills'],
    ['with a rare word', { q: 'word7' }, 'idx_jobs_search'],
    ['with a small budget', { budgetMax: '5.00', budgetMin: '1.00' }, 'idx_jobs_budget_range'],
  ] satisfies [string, Partial<ListJobsDto>, string][])('%s uses an index', async (_, values, index) => {
    const plan = await planOf(values);

    expect(plan).toContain(index);
    expect(plan).not.toContain('Seq Scan');
  });

  it('reads the newest page without a sort', async () => {
    expect(await planOf({})).not.toContain('Sort');
  });

  it('shows each tenant only their own rows, and none without a tenant', async () => {
    const titles = (tenant: number | undefined): Promise<number> =>
      asTenant(tenant, async (client) => {
        const [sql, parameters] = listJobs(buildQuery({ q: 'word7' }), undefined, 101);
        return (await client.query(sql, parameters)).rows.length;
      });

    expect(await Promise.all([titles(tenants[0]), titles(tenants.at(-1)), titles(undefined)])).toEqual([5, 0, 0]);
  });
});
