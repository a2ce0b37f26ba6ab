import type { FakeUpwork } from '../../src/demo/fake-upwork/fake-upwork';
import { CONTENT_FIELDS } from '../../src/jobs/job-content';
import { CreateJobDto } from '../../src/jobs/jobs.dto';
import { describeField } from '../../src/platform/http/openapi/dto-fields';
import type { TestApp } from '../support/test-app';
import type { SignedInCaller } from '../support/accounts';
import type { Answer } from '../support/caller';
import { buildJob } from '../support/factories/job.factory';
import { buildProposal } from '../support/factories/proposal.factory';
import { createManualWorker, type ManualWorker } from '../support/test-worker';
import { startUpworkApp, type UpworkApp } from '../support/upwork-app';

/** Fields that stay when the content expires, or that the test expects by itself. */
const KEPT_FIELDS: readonly string[] = ['upworkJobId', 'title', 'currency'];

describe('the expiry of jobs from Upwork', () => {
  let upworkApp: UpworkApp;
  let upwork: FakeUpwork;
  let app: TestApp;
  let worker: ManualWorker;
  let ann: SignedInCaller;

  beforeAll(async () => {
    upworkApp = await startUpworkApp();
    ({ upwork, app, worker } = upworkApp);
  });
  beforeEach(async () => {
    ann = await upworkApp.connectUser();
    await ann.post('/v1/saved-searches', { name: 'Erlang', query: 'erlang' });
  });
  afterEach(async () => {
    upwork.marketplace.jobs.length = 0;
    await upworkApp.reset();
  });
  afterAll(() => upworkApp.close());

  const sync = () => upworkApp.synchronize(ann, 'jobs');
  const expire = (by = worker) => by.runTask('expire-fetched-jobs');
  const passHours = (hours: number) =>
    app.db.query('superuser', `UPDATE jobs SET fetched_at = fetched_at - make_interval(hours => $1)`, [hours]);
  const jobs = async (): Promise<Answer['body'][]> => (await ann.get('/v1/jobs?limit=100')).body.items;
  const idOf = async (title: string): Promise<number> => (await jobs()).find((job) => job.title === title).id;
  const rowOf = async (id: number) =>
    (
      await app.db.query<{ version: number; age: number | null; audits: number }>(
        'superuser',
        `SELECT version, extract(epoch FROM now() - fetched_at)::float8 AS age,
           (SELECT count(*) FROM audit_logs WHERE table_name = 'jobs' AND record_id = j.id) AS audits
         FROM jobs j WHERE id = $1`,
        [id],
      )
    )[0]!;

  it('deletes an unused job that no search found for a day, and keeps jobs that the user has used', async () => {
    for (const title of ['Erlang unused', 'Erlang favourite', 'Erlang proposed', 'Erlang discussed']) {
      upwork.marketplace.publish({ title, description: 'Long words', skills: ['Erlang'], hourly: ['40', '60'] });
    }
    await sync();
    await ann.post('/v1/jobs', buildJob({ title: 'Erlang of my own' }));
    const unused = await idOf('Erlang unused');
    const fields = CONTENT_FIELDS.filter((field) => !KEPT_FIELDS.includes(field));
    const content = Object.fromEntries(fields.map((field) => [field, describeField(CreateJobDto, field).example]));
    await ann.patch(`/v1/jobs/${unused}`, content);
    await ann.patch(`/v1/jobs/${await idOf('Erlang favourite')}`, { isFavorite: true });
    await ann.post('/v1/proposals', buildProposal({ jobId: await idOf('Erlang proposed') }));
    await ann.post('/v1/messages', { jobId: await idOf('Erlang discussed'), senderType: 'client', content: 'Hello' });
    await passHours(23);
    await expire();
    expect(await jobs()).toHaveLength(5);

    await passHours(2);
    await expire();

    expect((await jobs()).map(({ title }) => title).sort()).toEqual([
      'Erlang discussed',
      'Erlang favourite',
      'Erlang of my own',
      'Erlang proposed',
    ]);
    const { body } = await ann.get(`/v1/jobs/${unused}`);
    const empty = Object.fromEntries(fields.map((field) => [field, field === 'skills' ? [] : null]));
    expect(body).toMatchObject({ ...empty, title: 'A vacancy no longer kept', status: 'deleted' });
    const { body: history } = await ann.get(`/v1/jobs/${unused}/history`);
    expect(history.items[0]).toMatchObject({
      actor: { kind: 'task' },
      action: 'UPDATE',
      changes: { status: { old: 'active', new: 'deleted' } },
    });
  });

  it('restores the job when a search finds it again; archived jobs stay archived', async () => {
    for (const title of ['Erlang active', 'Erlang archived']) upwork.marketplace.publish({ title, amount: '900' });
    await sync();
    const [active, archived] = [await idOf('Erlang active'), await idOf('Erlang archived')];
    await ann.patch(`/v1/jobs/${archived}`, { status: 'archived' });
    await passHours(25);
    await expire();
    expect((await ann.get(`/v1/jobs/${archived}`)).body).toMatchObject({
      title: 'A vacancy no longer kept',
      status: 'archived',
    });

    await sync();

    expect((await ann.get(`/v1/jobs/${active}`)).body).toMatchObject({
      title: 'Erlang active',
      budgetMax: '900.00',
      status: 'active',
    });
    expect((await ann.get(`/v1/jobs/${archived}`)).body).toMatchObject({
      title: 'Erlang archived',
      status: 'archived',
    });
    expect((await rowOf(active)).age).toBeLessThan(3_600);
    await passHours(25);
    await expire();
    for (const id of [active, archived])
      expect((await ann.get(`/v1/jobs/${id}`)).body.title).toBe('A vacancy no longer kept');
  });

  it('records that a search still finds a job without a new version', async () => {
    upwork.marketplace.publish({ title: 'Erlang still there' });
    await sync();
    const id = await idOf('Erlang still there');
    const before = await rowOf(id);
    await passHours(20);

    await sync();

    expect(await rowOf(id)).toEqual({ ...before, age: expect.any(Number) });
    expect((await rowOf(id)).age).toBeLessThan(3_600);
  });

  it('reads all pages of a search twice a day, so that jobs on the last one do not expire', async () => {
    const long = new Date(Date.now() - 7_200_000);
    for (let n = 0; n < 120; n++) upwork.marketplace.publish({ title: `Erlang ${n}`, publishedAt: long });
    const pages = async () => {
      const before = upwork.calls.filter(({ operation }) => operation === 'SearchJobs').length;
      await sync();
      return upwork.calls.filter(({ operation }) => operation === 'SearchJobs').length - before;
    };
    expect([await pages(), await pages()]).toEqual([3, 1]);
    await passHours(13);
    await app.db.query(
      'superuser',
      `UPDATE saved_searches SET last_full_search_at = last_full_search_at - interval '13 hours'`,
    );

    expect(await pages()).toBe(3);
    await passHours(13);
    await expire();

    expect(await jobs()).toHaveLength(100);
  });

  it('keeps all jobs when the operator disables the expiry', async () => {
    upwork.marketplace.publish({ title: 'Erlang for ever' });
    await sync();
    await passHours(10_000);
    const patient = await createManualWorker({ ...app, settings: { ...app.settings, UPWORK_CACHE_HOURS: '0' } });

    await expire(patient);

    await patient.close();
    expect(await jobs()).toMatchObject([{ title: 'Erlang for ever' }]);
  });
});
