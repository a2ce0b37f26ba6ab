import { Database } from '../../src/platform/database/database';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { countSocketWrites } from '../support/measurements';
import { runAsUser } from '../support/run-as-user';

/** Writes to PostgreSQL use most of the CPU time of a short request: each is a round trip and two system calls. */
describe('socket writes to PostgreSQL', () => {
  let app: TestApp;
  let port: number;
  let ann: SignedInCaller;
  let id: number;

  beforeAll(async () => {
    // One connection, opened before the count begins.
    app = await startApp({ settings: { DATABASE_POOL_SIZE: '1' } });
    port = Number(new URL(app.db.urls.app).port);
    ann = await createSignedInCaller(app);
    ({
      body: { id },
    } = await ann.post('/v1/jobs', { title: 'One' }));
  });
  afterAll(() => app.close());

  it.each([
    ['a get', 1, () => ann.get(`/v1/jobs/${id}`)],
    ['a page', 1, () => ann.get('/v1/jobs?limit=20')],
    ['a search', 1, () => ann.get('/v1/jobs?q=one&skills=SQL')],
    ['the stats', 1, () => ann.get('/v1/analytics/job-stats')],
    ['a create', 2, () => ann.post('/v1/jobs', { title: 'Two' })],
    ['a patch', 2, () => ann.patch(`/v1/jobs/${id}`, { title: `Three ${Date.now()}` })],
    ['a delete', 2, () => ann.delete(`/v1/jobs/${id}`)],
  ])('%s: at most %i', async (_, most, send) => {
    const { writes, result } = await countSocketWrites(send, port);

    expect(result.status).toBeLessThan(300);
    expect(writes).toBeGreaterThan(0);
    expect(writes).toBeLessThanOrEqual(most);
  });

  it('equal the number of dependent statements and COMMIT', async () => {
    const { writes } = await countSocketWrites(
      () =>
        runAsUser(ann.id, () =>
          app.get(Database).transaction(async (unit) => {
            for (let trip = 0; trip < 3; trip++) await unit.query('SELECT 1');
          }),
        ),
      port,
    );

    expect(writes).toBe(4);
  });
});

/** The setting for PgBouncer before 1.21, which may use another server connection for each transaction. */
describe('DATABASE_PREPARED_STATEMENTS=false', () => {
  it('leaves no statement on the connection, and answers the same', async () => {
    const app = await startApp({ settings: { DATABASE_POOL_SIZE: '1', DATABASE_PREPARED_STATEMENTS: 'false' } });
    try {
      const ann = await createSignedInCaller(app);
      const { body: job } = await ann.post('/v1/jobs', { title: 'One', skills: ['SQL'] });
      const { body: changed } = await ann.patch(`/v1/jobs/${job.id}`, { title: 'Two' });

      expect(changed).toEqual({ ...job, title: 'Two', version: 2, updatedAt: changed.updatedAt });
      expect(await ann.get(`/v1/jobs/${job.id}`)).toMatchObject({ status: 200, body: changed });
      for (const search of ['skills=SQL', 'budgetMin=1'])
        expect(await ann.get(`/v1/jobs?${search}`)).toMatchObject({ status: 200 });
      await app.db.query('superuser', 'GRANT EXECUTE ON FUNCTION pg_prepared_statement() TO gigvault_app');
      const left = await runAsUser(ann.id, () => app.get(Database).query('SELECT name FROM pg_prepared_statements'));
      expect(left).toEqual([]);
    } finally {
      await app.close();
    }
  });
});
