import { Database } from '../../src/platform/database/database';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller } from '../support/accounts';
import { insertJob } from '../support/factories/job.factory';
import { runAsUser } from '../support/run-as-user';

describe('the table messages', () => {
  let app: TestApp;
  let database: Database;
  let ann: number;
  let bob: number;

  beforeAll(async () => {
    app = await startApp();
    database = app.get(Database);
  });
  beforeEach(async () => {
    ann = (await createSignedInCaller(app)).id;
    bob = (await createSignedInCaller(app)).id;
  });
  afterAll(() => app.close());

  const as = <Row extends object>(userId: number, sql: string, values: unknown[] = []): Promise<Row[]> =>
    runAsUser(userId, () => database.query<Row>(sql, values));

  const store = async (userId: number, jobId: number | null, upworkId: string | null = null): Promise<number> => {
    const [row] = await as<{ id: number }>(
      userId,
      `INSERT INTO messages (job_id, upwork_message_id, sender_type, content)
       VALUES ($1, $2, 'client', 'x') RETURNING id`,
      [jobId, upworkId],
    );
    return row!.id;
  };

  const storeReply = async (userId: number, upworkId: string | null): Promise<number> => {
    const [row] = await as<{ id: number }>(
      userId,
      `INSERT INTO messages (upwork_message_id, sender_type, content) VALUES ($1, 'freelancer', 'x') RETURNING id`,
      [upworkId],
    );
    return row!.id;
  };

  it("refuses a message about another tenant's job, and a forged tenant", async () => {
    const foreign = await insertJob(app.db, bob);

    await expect(store(ann, foreign)).rejects.toMatchObject({ constraint: 'messages_job_id_fk' });
    await expect(
      as(ann, `INSERT INTO messages (user_id, sender_type, content) VALUES ($1, 'client', 'x')`, [bob]),
    ).rejects.toMatchObject({ code: '42501' });
  });

  it("neither shows, changes nor deletes another tenant's row", async () => {
    const id = await store(bob, null);
    const reply = await storeReply(bob, 'a reply');

    expect(await as(ann, 'SELECT FROM messages WHERE id = $1', [id])).toEqual([]);
    expect(await as(ann, 'UPDATE messages SET is_read = true WHERE id = $1 RETURNING id', [id])).toEqual([]);
    expect(await as(ann, 'DELETE FROM messages WHERE id IN ($1, $2) RETURNING id', [id, reply])).toEqual([]);
  });

  it("deletes only the freelancer's own messages that a synchronisation stored", async () => {
    const ids = [
      await store(ann, null, 'of the client'),
      await storeReply(ann, null),
      await storeReply(ann, 'fetched'),
    ];

    expect(await as(ann, 'DELETE FROM messages WHERE id = ANY($1) RETURNING id', [ids])).toEqual([{ id: ids[2] }]);
  });

  it('lets two tenants store the same Upwork id, each only once', async () => {
    await store(ann, null, 'shared');

    await expect(store(bob, null, 'shared')).resolves.toEqual(expect.any(Number));
    await expect(store(ann, null, 'shared')).rejects.toMatchObject({ constraint: 'messages_upwork_message_id_key' });
  });

  it('keeps a conversation and its tenant after its job is deleted', async () => {
    const jobId = await insertJob(app.db, ann);
    const id = await store(ann, jobId);

    await app.db.query('superuser', 'DELETE FROM jobs WHERE id = $1', [jobId]);

    expect(await as(ann, 'SELECT job_id, user_id FROM messages WHERE id = $1', [id])).toEqual([
      { job_id: null, user_id: ann },
    ]);
  });
});
