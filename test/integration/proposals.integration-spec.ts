import { Database } from '../../src/platform/database/database';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller } from '../support/accounts';
import { insertJob } from '../support/factories/job.factory';
import { runAsUser } from '../support/run-as-user';

describe('the table proposals', () => {
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

  const draft = async (userId: number, jobId: number, upworkId: string | null = null): Promise<number> => {
    const [row] = await as<{ id: number }>(
      userId,
      'INSERT INTO proposals (job_id, upwork_proposal_id) VALUES ($1, $2) RETURNING id',
      [jobId, upworkId],
    );
    return row!.id;
  };

  it("refuses a proposal on another tenant's job, by the foreign key that carries the tenant", async () => {
    const foreign = await insertJob(app.db, bob);

    await expect(draft(ann, foreign)).rejects.toMatchObject({ code: '23503', constraint: 'proposals_job_id_fk' });
    await expect(draft(ann, 999_999_999)).rejects.toMatchObject({ code: '23503', constraint: 'proposals_job_id_fk' });
  });

  it('refuses a forged tenant', async () => {
    const jobId = await insertJob(app.db, bob);

    await expect(
      as(ann, 'INSERT INTO proposals (user_id, job_id) VALUES ($1, $2)', [bob, jobId]),
    ).rejects.toMatchObject({ code: '42501' });
  });

  it("neither shows, changes nor deletes another tenant's row", async () => {
    const id = await draft(bob, await insertJob(app.db, bob));

    expect(await as(ann, 'SELECT FROM proposals WHERE id = $1', [id])).toEqual([]);
    expect(await as(ann, `UPDATE proposals SET cover_letter = 'x' WHERE id = $1 RETURNING id`, [id])).toEqual([]);
    expect(await as(ann, 'DELETE FROM proposals WHERE id = $1 RETURNING id', [id])).toEqual([]);
    expect(await as(bob, 'SELECT version FROM proposals WHERE id = $1', [id])).toEqual([{ version: 1 }]);
  });

  it('lets two tenants store the same Upwork id, each only once', async () => {
    const [annsJob, annsOther, bobsJob] = [
      await insertJob(app.db, ann),
      await insertJob(app.db, ann),
      await insertJob(app.db, bob),
    ];
    await draft(ann, annsJob, 'shared');

    await expect(draft(bob, bobsJob, 'shared')).resolves.toEqual(expect.any(Number));
    await expect(draft(ann, annsOther, 'shared')).rejects.toMatchObject({
      constraint: 'proposals_upwork_proposal_id_key',
    });
  });

  it('deletes with a job only the proposals of its tenant', async () => {
    const [annsJob, bobsJob] = [await insertJob(app.db, ann), await insertJob(app.db, bob)];
    const [annsDraft, bobsDraft] = [await draft(ann, annsJob), await draft(bob, bobsJob)];

    await app.db.query('superuser', 'DELETE FROM jobs WHERE id = $1', [annsJob]);

    expect(await as(ann, 'SELECT FROM proposals WHERE id = $1', [annsDraft])).toEqual([]);
    expect(await as(bob, 'SELECT id FROM proposals WHERE id = $1', [bobsDraft])).toEqual([{ id: bobsDraft }]);
  });

  it('requires submitted_at to match the status', async () => {
    const id = await draft(ann, await insertJob(app.db, ann));

    await expect(as(ann, `UPDATE proposals SET status = 'submitted' WHERE id = $1`, [id])).rejects.toMatchObject({
      constraint: 'proposals_submitted_at_when_submitted',
    });
    await expect(as(ann, 'UPDATE proposals SET submitted_at = now() WHERE id = $1', [id])).rejects.toMatchObject({
      constraint: 'proposals_submitted_at_when_submitted',
    });
  });

  it('refuses writes to the columns that PostgreSQL sets', async () => {
    const id = await draft(ann, await insertJob(app.db, ann));

    for (const change of ['user_id = 1', 'version = 9', 'created_at = now()', 'updated_at = now()']) {
      await expect(as(ann, `UPDATE proposals SET ${change} WHERE id = $1`, [id])).rejects.toMatchObject({
        code: '42501',
      });
    }
  });

  it('refuses a job of another user, also when a synchronisation merges jobs', async () => {
    const id = await draft(ann, await insertJob(app.db, ann));
    const foreign = await insertJob(app.db, bob);

    await expect(as(ann, 'UPDATE proposals SET job_id = $2 WHERE id = $1', [id, foreign])).rejects.toMatchObject({
      code: '23503',
    });
  });
});
