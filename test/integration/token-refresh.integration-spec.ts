import { Database } from '../../src/platform/database/database';
import { TokenRefreshService } from '../../src/tokens/token-refresh.service';
import { STORE_REFRESHED } from '../../src/tokens/tokens.queries';
import { FakeUpwork } from '../../src/demo/fake-upwork/fake-upwork';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { Caller } from '../support/caller';
import { waitFor } from '../support/wait-for';
import { freezeDate } from '../support/frozen-date';
import { createUpworkConnection, advanceRefreshTime } from '../support/upwork-connections';
import { createManualWorker, type ManualWorker } from '../support/test-worker';
import { listEmails } from '../support/emails';
import { runAsUser } from '../support/run-as-user';

interface Row {
  readonly status: string;
  readonly failed_refreshes: number;
  readonly last_error: string | null;
  readonly encrypted_refresh_token: string;
  /** Seconds from the failure to the next attempt. */
  readonly delay_seconds: number;
}

/** Ends the connections of the first two statements that store a pair. A sequence counts also what is rolled back. */
const END_FIRST_TWO_STORES = `
  CREATE SEQUENCE stores;
  CREATE FUNCTION end_store() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
  BEGIN
    IF nextval('stores') <= 2 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
    RETURN NEW;
  END $$;
  CREATE TRIGGER end_store BEFORE UPDATE OF encrypted_refresh_token ON user_tokens
    FOR EACH ROW EXECUTE FUNCTION end_store()`;

/** Moves the time of each refresh into the future. */
const KEEP_REFRESHES_RECENT = `
  CREATE FUNCTION keep_recent() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    NEW.last_refreshed_at = now() + interval '1 hour';
    RETURN NEW;
  END $$;
  CREATE TRIGGER keep_recent BEFORE UPDATE OF last_refreshed_at ON user_tokens
    FOR EACH ROW EXECUTE FUNCTION keep_recent()`;

describe('the refresh of connections', () => {
  let upwork: FakeUpwork;
  let app: TestApp;
  let second: TestApp;
  let worker: ManualWorker;
  let ann: SignedInCaller;
  let id: number;

  beforeAll(async () => {
    upwork = await new FakeUpwork().start();
    app = await startApp({ settings: upwork.settings });
    second = await startApp({ sharedWith: app });
    worker = await createManualWorker(app);
  });
  beforeEach(async () => {
    ann = await createSignedInCaller(app);
    id = await createUpworkConnection(app, upwork, ann);
  });
  afterEach(async () => {
    upwork.faults.clear();
    upwork.tokenDelayMs = 0;
    upwork.beforeTokenResponse = undefined;
    jest.useRealTimers();
    await app.db.query('superuser', 'DELETE FROM user_tokens');
  });
  afterAll(async () => {
    await worker.close();
    await second.close();
    await app.close();
    await upwork.stop();
  });

  const row = async (): Promise<Row> =>
    (
      await app.db.query<Row>(
        'superuser',
        `SELECT status, failed_refreshes, last_error, encrypted_refresh_token,
           extract(epoch FROM next_refresh_at - updated_at)::float8 AS delay_seconds FROM user_tokens WHERE id = $1`,
        [id],
      )
    )[0]!;
  /** Holds back the answer of the provider. Resolves when it is called, with a function that releases the answer. */
  const whenProviderIsCalled = (): Promise<() => void> =>
    new Promise((called) => {
      upwork.beforeTokenResponse = () => new Promise<void>((release) => called(release));
    });

  const listEmailsToAnn = async () => {
    await worker.runTask('deliver-alerts');
    return listEmails(await createSignedInCaller(app, { role: 'admin' }), ann.email);
  };

  it('calls the provider once for 20 workers and 50 requests, and the pair stays valid', async () => {
    const [refreshes, refusals] = [upwork.grants.refreshes, upwork.grants.refusals];
    upwork.tokenDelayMs = 200;
    // On a busy machine the calls take longer than a caller waits, and than a refresh counts as recent.
    freezeDate();
    await app.db.query('superuser', KEEP_REFRESHES_RECENT);
    const apps = [app, second];
    const callers = apps.map(({ url }) => new Caller(url, ann.token));
    const workers = Array.from({ length: 20 }, (_, i) =>
      runAsUser(ann.id, () => apps[i % 2]!.get(TokenRefreshService).refresh(id), { actorKind: 'task' }),
    );
    const requests = Array.from({ length: 50 }, (_, i) => callers[i % 2]!.post(`/v1/tokens/${id}/refresh`));

    const [refreshed, answers] = await Promise.all([Promise.all(workers), Promise.all(requests)]);
    await app.db.query('superuser', 'DROP FUNCTION keep_recent CASCADE');

    expect(refreshed.every(({ status }) => status === 'active')).toBe(true);
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect([upwork.grants.refreshes - refreshes, upwork.grants.refusals - refusals]).toEqual([1, 0]);
    const token = await runAsUser(ann.id, () => second.get(TokenRefreshService).getAccessToken(id));
    expect(upwork.grants.findUser(token)).toBe(ann.email);
  });

  it('stops waiting for another process after 10 s, and changes nothing', async () => {
    await app.db.query(
      'superuser',
      `UPDATE user_tokens SET refresh_owner = 'another', refresh_until = now() + interval '1 minute' WHERE id = $1`,
      [id],
    );
    const refreshes = upwork.grants.refreshes;
    const date = freezeDate();
    const clock = setInterval(() => date.advance(1_000), 20);

    const { status, body, headers } = await ann.post(`/v1/tokens/${id}/refresh`);
    clearInterval(clock);

    expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'token.refresh_running', '5']);
    expect(upwork.grants.refreshes).toBe(refreshes);
  });

  it('holds no transaction open while the provider is called', async () => {
    const called = whenProviderIsCalled();
    const refreshing = runAsUser(ann.id, () => app.get(TokenRefreshService).refresh(id));
    const release = await called;

    // The application also opens other transactions, but only short ones.
    await waitFor('no transaction is open', async () => {
      const open = await app.db.query(
        'superuser',
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'`,
      );
      return open.length === 0;
    });

    release();
    expect((await refreshing).status).toBe('active');
  });

  it('asks for a reconnect when a caller died between the provider’s answer and the store', async () => {
    upwork.faults.schedule('token', 'lost');
    await expect(runAsUser(ann.id, () => app.get(TokenRefreshService).refresh(id))).rejects.toMatchObject({
      code: 'token.refresh_failed',
    });
    await advanceRefreshTime(app, id);

    await worker.runTask('refresh-connections');

    expect((await row()).status).toBe('reconnect_needed');
  });

  it('repeats the store when PostgreSQL ends its connection, so that the new pair is not lost', async () => {
    await app.db.query('superuser', END_FIRST_TWO_STORES);

    const refreshed = await runAsUser(ann.id, () => app.get(TokenRefreshService).refresh(id)).finally(() =>
      app.db.query('superuser', 'DROP SEQUENCE stores CASCADE; DROP FUNCTION end_store CASCADE'),
    );

    expect(refreshed.status).toBe('active');
    const token = await runAsUser(ann.id, () => second.get(TokenRefreshService).getAccessToken(id));
    expect(upwork.grants.findUser(token)).toBe(ann.email);
  });

  it('finds its pair when the answer of the store was lost', async () => {
    const database = app.get(Database);
    const query = database.query.bind(database);
    let stores = 0;
    const spy = jest.spyOn(database, 'query').mockImplementation(async (...statement: Parameters<typeof query>) => {
      const rows = await query(...statement);
      if (statement[0] === STORE_REFRESHED && (stores += 1) === 1) throw new Error('Connection terminated');
      return rows;
    });

    const refreshed = await runAsUser(ann.id, () => app.get(TokenRefreshService).refresh(id)).finally(() =>
      spy.mockRestore(),
    );

    expect([refreshed.status, stores]).toEqual(['active', 2]);
  });

  it('takes over the lease of a caller that died', async () => {
    await app.db.query(
      'superuser',
      `UPDATE user_tokens SET refresh_owner = 'dead', refresh_until = now() - interval '1 second' WHERE id = $1`,
      [id],
    );

    const refreshed = await runAsUser(ann.id, () => app.get(TokenRefreshService).refresh(id));

    expect(refreshed.status).toBe('active');
  });

  it('stores nothing when the owner replaced the pair meanwhile', async () => {
    const called = whenProviderIsCalled();
    const refreshing = runAsUser(ann.id, () => app.get(TokenRefreshService).refresh(id)).catch(
      (error: unknown) => error,
    );
    const release = await called;
    const pair = {
      provider: 'upwork',
      accessToken: 'new-access',
      refreshToken: 'new-refresh',
      expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
    };
    await ann.post('/v1/tokens', pair);
    release();

    expect(await refreshing).toMatchObject({ code: 'token.refresh_failed' });
    expect(await runAsUser(ann.id, () => app.get(TokenRefreshService).getAccessToken(id))).toBe('new-access');
  });

  it.each([
    ['429', '1200', [1_200, 1_200]],
    ['429', 'a date in half an hour', [1_800, 1_800]],
    ['500', '', [20, 30]],
    ['gateway', '', [20, 30]],
    ['html', '', [20, 30]],
    ['empty', '', [20, 30]],
    ['cut', '', [20, 30]],
  ] as const)(
    'treats %s (Retry-After %p) as temporary: keeps the pair, sends no email, and backs off as long as asked',
    async (fault, retryAfter, [min, max]) => {
      const { encrypted_refresh_token: pair } = await row();
      // HTTP dates have whole seconds.
      freezeDate(Math.floor(Date.now() / 1_000) * 1_000);
      const isDate = retryAfter.startsWith('a date');
      upwork.faults.retryAfter = isDate ? new Date(Date.now() + 1_800_000).toUTCString() : retryAfter;
      upwork.faults.schedule('token', fault);

      await worker.runTask('refresh-connections');

      const after = await row();
      expect(after).toMatchObject({ status: 'failing', failed_refreshes: 1, encrypted_refresh_token: pair });
      expect(after.delay_seconds).toBeGreaterThanOrEqual(min);
      expect(after.delay_seconds).toBeLessThanOrEqual(max);
      expect(await listEmailsToAnn()).toEqual([]);
      await advanceRefreshTime(app, id);
      await worker.runTask('refresh-connections');
      expect(await row()).toMatchObject({ status: 'active', failed_refreshes: 0, last_error: null });
    },
  );

  it("keeps connections when the operator's API key is refused", async () => {
    const { encrypted_refresh_token: pair } = await row();
    const { clientSecret } = upwork.grants;
    upwork.grants.clientSecret = 'another';

    await worker.runTask('refresh-connections');
    upwork.grants.clientSecret = clientSecret;

    expect(await row()).toMatchObject({
      status: 'failing',
      last_error: 'Upwork refused: invalid_client',
      encrypted_refresh_token: pair,
    });
    expect(await listEmailsToAnn()).toEqual([]);
  });

  it('survives an hour without the provider: backs off up to ten minutes, sends no email, and recovers', async () => {
    const { encrypted_refresh_token: pair } = await row();
    const faults = ['500', 'gateway', 'html', '429', 'cut', '500', '429', '500', 'cut'] as const;
    for (const fault of faults) upwork.faults.schedule('token', fault);
    let passed = 0;
    for (const round of faults.keys()) {
      await worker.runTask('refresh-connections');
      const failed = await row();
      expect(failed).toMatchObject({ status: 'failing', failed_refreshes: round + 1, encrypted_refresh_token: pair });
      const planned = Math.min(30 * 2 ** round, 600);
      expect(failed.delay_seconds).toBeLessThanOrEqual(planned);
      expect(failed.delay_seconds).toBeGreaterThan(planned * 0.8 - 1);
      passed += failed.delay_seconds;
      await worker.runTask('refresh-connections');
      expect((await row()).failed_refreshes).toBe(round + 1);
      await advanceRefreshTime(app, id);
    }
    expect(passed).toBeGreaterThan(2_400);

    await worker.runTask('refresh-connections');

    expect(await row()).toMatchObject({ status: 'active', failed_refreshes: 0, last_error: null });
    expect(await listEmailsToAnn()).toEqual([]);
  });

  it('emails the owner once when they must reconnect; keeps the pair and stops retrying', async () => {
    const { encrypted_refresh_token: pair } = await row();
    upwork.grants.revokeAll();
    const refusals = upwork.grants.refusals;

    for (let round = 1; round <= 3; round++) {
      await worker.runTask('refresh-connections');
      await advanceRefreshTime(app, id);
    }

    expect(await row()).toMatchObject({
      status: 'reconnect_needed',
      last_error: 'Upwork refused: invalid_grant',
      encrypted_refresh_token: pair,
    });
    expect(upwork.grants.refusals - refusals).toBe(1);
    const emails = await listEmailsToAnn();
    expect(emails.map(({ subject }) => subject)).toEqual(['Reconnect Gigvault to Upwork']);
  });

  it('refreshes connections that were idle for a week, and no others', async () => {
    const before = upwork.grants.refreshes;
    await app.db.query('superuser', `UPDATE user_tokens SET expires_at = now() + interval '1 day' WHERE id = $1`, [id]);
    await worker.runTask('refresh-connections');
    expect(upwork.grants.refreshes - before).toBe(0);

    await app.db.query('superuser', `UPDATE user_tokens SET created_at = now() - interval '8 days' WHERE id = $1`, [
      id,
    ]);
    await worker.runTask('refresh-connections');

    expect(upwork.grants.refreshes - before).toBe(1);
  });
});
