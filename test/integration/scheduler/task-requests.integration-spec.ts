import { createTestDatabase, type TestDatabase } from '../../support/test-database';

const REQUEST = `SELECT auth.request_task_run('x') AS id`;

describe('a run that a user requests', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.end());

  it('is queued once by simultaneous requests, and again when it has started', async () => {
    const [first] = await database.transaction('auth', async (client) => {
      const { rows } = await client.query<{ id: number }>(REQUEST);
      // The second request waits for the first one.
      await expect(
        database.transaction('auth', async (another) => {
          await another.query(`SET LOCAL lock_timeout = '200ms'`);
          await another.query(REQUEST);
        }),
      ).rejects.toMatchObject({ code: '55P03' });
      return rows;
    });

    expect(await database.query('auth', REQUEST)).toEqual([{ id: null }]);
    await database.query(
      'worker',
      `UPDATE task_runs SET outcome = 'running', started_at = now(), lease_until = now() WHERE id = $1`,
      [first!.id],
    );
    const [next] = await database.query<{ id: number }>('auth', REQUEST);
    expect(next!.id).toBeGreaterThan(first!.id);
  });
});
