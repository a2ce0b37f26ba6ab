import { CacheStats } from '../../src/platform/cache/cache-stats';
import { createAnonymousCaller, createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { startApp, type TestApp } from '../support/test-app';
import { buildExample, readOperations, fillPath, type Operation } from '../support/openapi-operations';

const NOWHERE = 999_999_999;

/** Routes whose {id} is not a row of a tenant's. */
const NOT_A_TENANTS = [/^\/v1\/admin\//, /^\/v1\/dev\//, /^\/v1\/auth\//];

/** A problem document less what differs between any two requests. */
function essence(body: Record<string, unknown>): Record<string, unknown> {
  const { requestId: _requestId, instance: _instance, ...rest } = body;
  return rest;
}

describe.each(['false', 'true'])("another tenant's objects, with CACHE_ENABLED=%s,", (isEnabled) => {
  let app: TestApp;
  let owner: SignedInCaller;
  let stranger: SignedInCaller;
  let operations: Operation[];
  const owned: Record<string, number> = {};

  beforeAll(async () => {
    app = await startApp({ settings: { CACHE_ENABLED: isEnabled } });
    owner = await createSignedInCaller(app);
    stranger = await createSignedInCaller(app);
    operations = await readOperations(app.url);
    const job = await owner.post('/v1/jobs', { title: 'Mine' });
    const proposal = await owner.post('/v1/proposals', { jobId: job.body.id });
    const message = await owner.post('/v1/messages', { jobId: job.body.id, senderType: 'client', content: 'Hello' });
    Object.assign(owned, { jobs: job.body.id, proposals: proposal.body.id, messages: message.body.id });
    // What could be kept, is.
    do {
      for (const [domain, id] of Object.entries(owned)) await owner.get(`/v1/${domain}/${id}`);
    } while (isEnabled === 'true' && app.get(CacheStats).memory < 3);
  });
  afterAll(() => app.close());

  it('are not there: every route on them answers 404, exactly as for an id that does not exist', async () => {
    const withId = operations.filter(
      ({ path }) => /\{\w+\}/.test(path) && NOT_A_TENANTS.every((pattern) => !pattern.test(path)),
    );
    const wrong: string[] = [];
    for (const operation of withId) {
      const [, , domain = ''] = operation.path.split('/');
      const id = owned[domain] ?? owned.jobs!;
      const body = operation.body && buildExample(operation.body);
      const headers = { 'if-match': '"99"' };
      const values = (recordId: number) => ({ id: String(recordId), table: 'jobs', recordId: String(recordId) });
      const foreign = await stranger.send(operation.method, fillPath(operation, values(id)), body, headers);
      const missing = await stranger.send(operation.method, fillPath(operation, values(NOWHERE)), body, headers);
      const label = `${operation.method} ${operation.path}`;
      if (foreign.status !== 404) wrong.push(`${label} → ${foreign.status}`);
      else if (JSON.stringify(essence(foreign.body)) !== JSON.stringify(essence(missing.body))) {
        wrong.push(`${label} distinguishes a foreign id from a missing one`);
      }
    }

    expect(wrong).toEqual([]);
    expect(withId.length).toBeGreaterThan(10);
  });

  it('are in no list of the user', async () => {
    for (const path of ['/v1/jobs', '/v1/proposals', '/v1/messages', '/v1/audit/logs?table=jobs']) {
      const { body } = await stranger.get(path);

      expect({ path, items: body.items }).toEqual({ path, items: [] });
    }
  });

  it('cannot be referred to: a foreign id in a body is a 422 that points at it, as a missing one is', async () => {
    for (const jobId of [owned.jobs, NOWHERE]) {
      const proposal = await stranger.post('/v1/proposals', { jobId });
      const message = await stranger.post('/v1/messages', { jobId, senderType: 'client', content: 'Hi' });

      expect([proposal.status, proposal.body.errors[0].pointer]).toEqual([422, '/jobId']);
      expect([message.status, message.body.errors[0].pointer]).toEqual([422, '/jobId']);
    }
  });

  it('are as they were afterwards', async () => {
    const job = await owner.get(`/v1/jobs/${owned.jobs}`);

    expect([job.status, job.body.version, job.body.status]).toEqual([200, 1, 'active']);
  });
});

describe('routes', () => {
  let app: TestApp;
  let operations: Operation[];

  beforeAll(async () => {
    app = await startApp();
    operations = await readOperations(app.url);
  });
  afterAll(() => app.close());

  it('that need a sign-in answer 401 without one, before they look at anything else', async () => {
    const nobody = createAnonymousCaller(app);
    const open: string[] = [];
    for (const operation of operations.filter(({ signedIn: needed }) => needed)) {
      const answer = await nobody.send(operation.method, fillPath(operation, {}), operation.body && {});
      if (answer.status !== 401) open.push(`${operation.method} ${operation.path} → ${answer.status}`);
    }

    expect(open).toEqual([]);
  });

  it('of the admin answer 403 to a user', async () => {
    const user = await createSignedInCaller(app);
    const open: string[] = [];
    for (const operation of operations.filter(({ path }) => /^\/v1\/(admin|dev)\//.test(path))) {
      const answer = await user.send(
        operation.method,
        fillPath(operation, {}),
        operation.body && buildExample(operation.body),
      );
      if (answer.status !== 403) open.push(`${operation.method} ${operation.path} → ${answer.status}`);
    }

    expect(open).toEqual([]);
  });
});
