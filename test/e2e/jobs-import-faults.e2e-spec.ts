import { randomUUID } from 'node:crypto';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';

const NDJSON = { 'content-type': 'application/x-ndjson' };
const END_WAITING = `
  SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE usename = 'gigvault_app' AND datname = current_database() AND wait_event_type = 'Lock'`;
const LOCK = `SELECT pg_advisory_xact_lock(hashtextextended('jobs.import', $1))`;

/** A failed import must not affect others: an unhandled error would fail the running test. */
describe('an import', () => {
  let app: TestApp;
  let user: SignedInCaller;

  beforeAll(async () => {
    app = await startApp();
  });
  beforeEach(async () => {
    user = await createSignedInCaller(app);
  });
  afterAll(() => app.close());

  const importing = (body: unknown, headers: Record<string, string> = {}) =>
    user.post('/v1/jobs/import', body, headers);
  const countJobs = async () => (await user.get('/v1/jobs')).body.items.length;

  /** Holds the locks of one statement in another transaction until `work` ends. */
  const whileLocked = async <T>(sql: string, values: unknown[], work: () => Promise<T>): Promise<T> =>
    app.db.transaction('superuser', async (client) => {
      await client.query(sql, values);
      return work();
    });

  /** Ends the application's first backend that waits for a lock. */
  const endWaitingBackend = async (): Promise<void> => {
    while ((await app.db.query('superuser', END_WAITING)).length === 0);
  };

  it('answers 503 when its connection is lost, and the process continues', async () => {
    const { id } = (await user.post('/v1/jobs', { upworkJobId: 'locked', title: 'A job' })).body;

    await whileLocked('SELECT FROM jobs WHERE id = $1 FOR UPDATE', [id], async () => {
      const answer = importing([{ upworkJobId: 'locked', title: 'Changed' }]);
      await endWaitingBackend();

      const { status, headers } = await answer;
      expect([status, headers.get('retry-after')]).toEqual([503, '2']);
    });

    expect(await countJobs()).toBe(1);
  });

  it('answers Retry-After while another process imports, and keeps the stored rows', async () => {
    await importing([{ title: 'Before' }]);

    const { status, headers, body } = await whileLocked(LOCK, [user.id], () => importing([{ title: 'One' }]));

    expect([status, headers.get('retry-after'), body.code]).toEqual([429, '5', 'rate.too_many_at_once']);
    expect(await countJobs()).toBe(1);
    expect((await importing([{ title: 'One' }])).body).toMatchObject({ created: 1 });
  });

  it('waits for another of the same account, and is refused when two already wait', async () => {
    const { id } = (await user.post('/v1/jobs', { upworkJobId: 'locked', title: 'A job' })).body;
    const other = await createSignedInCaller(app);
    const answers = await whileLocked('SELECT FROM jobs WHERE id = $1 FOR UPDATE', [id], async () => {
      const sent = Array.from({ length: 4 }, () => importing([{ upworkJobId: 'locked', title: 'Changed' }]));
      const first = await Promise.race(sent);
      expect([first.status, first.headers.get('retry-after')]).toEqual([429, '5']);
      expect(first.body.code).toBe('rate.too_many_at_once');
      expect((await other.post('/v1/jobs/import', [{ title: 'Theirs' }])).status).toBe(200);
      return sent;
    });

    const statuses = (await Promise.all(answers)).map(({ status }) => status).sort();
    expect(statuses).toEqual([200, 200, 200, 429]);
  });

  it('counts the length of a title as PostgreSQL does, and reports it as an error of the row', async () => {
    const { status, body } = await importing([{ title: '❤️'.repeat(300) }, { title: '❤️'.repeat(250) }]);

    expect(status).toBe(200);
    expect(body).toMatchObject({ created: 1, failed: 1, errors: [{ row: 1, pointer: '/title', code: 'is_length' }] });
    expect((await user.post('/v1/jobs', { title: '❤️'.repeat(300) })).status).toBe(400);
  });

  it('accepts at most 10,000 rows with an Idempotency-Key, and stores none of a longer file', async () => {
    const { status, body } = await importing('{"title":"x"}\n'.repeat(10_001), {
      ...NDJSON,
      'idempotency-key': randomUUID(),
    });

    expect([status, body.code]).toEqual([413, 'import.too_many_rows']);
    expect(body.detail).toContain('at most 10000 rows');
    expect(await countJobs()).toBe(0);
  });
});
