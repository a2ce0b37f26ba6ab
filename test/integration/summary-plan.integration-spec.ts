import { outcomes } from '../../src/analytics/analytics.queries';
import { countRowsRead, explainAs, PLAN_MODES } from '../support/query-plans';
import { createTestDatabase, type TestDatabase } from '../support/test-database';

/** Proposals of the tenant, one an hour, and the statuses of each. */
const PROPOSALS = 1_000;
const STATUSES_EACH = 3;

const DATA = [
  `INSERT INTO jobs (user_id, source_key, title)
   SELECT $1, 'upwork:' || n, 'A job' FROM generate_series(1, $2::integer) n`,
  `INSERT INTO proposals (user_id, job_id, status, upwork_status, submitted_at)
   SELECT user_id, id, 'submitted', 'Activated',
     '2026-03-31'::timestamptz - row_number() OVER (ORDER BY id) * interval '1 hour'
   FROM jobs WHERE user_id = $1`,
  `INSERT INTO proposal_status_changes (user_id, proposal_id, status, upwork_status, changed_at)
   SELECT user_id, id, 'submitted', 'Offered', submitted_at FROM proposals WHERE user_id = $1`,
];

describe('the summary of a tenant with many proposals', () => {
  let db: TestDatabase;
  let users: readonly { readonly id: number }[];

  beforeAll(async () => {
    db = await createTestDatabase();
    users = await db.query<{ id: number }>(
      'superuser',
      `INSERT INTO users (email, encrypted_password)
       SELECT 'user' || n || '@example.com', 'none' FROM generate_series(0, 20) AS n RETURNING id`,
    );
    for (const [index, { id }] of users.entries()) {
      const count = index === 0 ? PROPOSALS : 20;
      for (const sql of DATA) await db.query('superuser', sql, sql.includes('$2') ? [id, count] : [id]);
    }
    await db.query('superuser', 'VACUUM ANALYZE');
  });
  afterAll(() => db.end());

  it.each(PLAN_MODES)('reads the proposals of its days and their statuses only (%s)', async (mode) => {
    const plan = await explainAs(db, users[0]!.id, mode, ...outcomes('2026-03-29', '2026-03-30'));

    expect(countRowsRead(plan, 'proposals')).toBe(48);
    expect(countRowsRead(plan, 'proposal_status_changes')).toBe(48 * STATUSES_EACH);
  });
});
