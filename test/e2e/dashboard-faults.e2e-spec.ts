import { createAccount, signInToDashboard } from '../support/dashboard-client';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { createManualWorker, type ManualWorker } from '../support/test-worker';
import { WebhookReceiver } from '../support/webhook-receiver';

/** Number of failed attempts before the last one. */
const ATTEMPTS_BEFORE_LAST = 7;

describe('the overview while something fails for users', () => {
  let app: TestApp;
  let worker: ManualWorker;
  let cookie: string;
  let ann: SignedInCaller;

  beforeAll(async () => {
    app = await startApp();
    worker = await createManualWorker(app);
    cookie = await signInToDashboard(app, await createAccount(app, 'admin'));
    ann = await createSignedInCaller(app);
  });
  afterEach(() =>
    app.db.query(
      'superuser',
      'DELETE FROM alert_deliveries; DELETE FROM email_outbox; DELETE FROM user_tokens; DELETE FROM webhooks',
    ),
  );
  afterAll(async () => {
    await worker.close();
    await app.close();
  });

  /** Reads the tag and text of a status, and whether the banner lists it. */
  async function readStatus(name: string): Promise<{ tag: string; text: string; isReason: boolean }> {
    const page = await (await fetch(`${app.url}/admin`, { headers: { cookie } })).text();
    const [, tag = '', text = ''] =
      new RegExp(`<b>${name}</b> <span class="tag \\w+">(\\w+)</span></span> <span class="muted clip">([^<]*)<`).exec(
        page,
      ) ?? [];
    return { tag, text, isReason: page.includes(`>${name}</a>: ${text}`) };
  }

  const sql = (text: string, values: unknown[] = [ann.id]) => app.db.query('superuser', text, values);

  it('is OK while nothing fails', async () => {
    expect(await readStatus('Upwork connections')).toEqual({
      tag: 'OK',
      text: 'no users are connected to Upwork',
      isReason: false,
    });
    expect(await readStatus('Webhooks and mail')).toEqual({ tag: 'OK', text: 'nothing failed', isReason: false });
  });

  it('counts failing synchronisations, except of users who are locked out or must reconnect', async () => {
    const stranger = await createSignedInCaller(app);
    await sql('UPDATE users SET is_active = false WHERE id = $1', [stranger.id]);
    // Each connection has three synchronisations.
    const connect = async (userId: number, status: string, failing: readonly string[]): Promise<void> => {
      const [token] = await sql(
        `INSERT INTO user_tokens (
           user_id, organization_id, seal_key, encrypted_access_token, encrypted_refresh_token, expires_at, status
         )
         VALUES ($1, gen_random_uuid(), gen_random_uuid(), 'x', 'x', now(), $2) RETURNING id`,
        [userId, status],
      );
      await sql('UPDATE syncs SET failures = 2 WHERE token_id = $1 AND kind = ANY ($2)', [token!['id'], failing]);
    };
    await connect(stranger.id, 'active', ['jobs']);
    await connect(ann.id, 'reconnect_needed', ['jobs']);
    await connect(ann.id, 'active', []);
    expect(await readStatus('Upwork connections')).toEqual({
      tag: 'OK',
      text: '3 synchronisations, no failures',
      isReason: false,
    });

    await connect(ann.id, 'failing', ['jobs']);
    expect(await readStatus('Upwork connections')).toEqual({
      tag: 'Warning',
      text: '1 of 6 synchronisations fails',
      isReason: true,
    });
    await sql(`UPDATE syncs SET failures = 1 WHERE user_id = $1 AND kind = 'proposals'`);
    expect((await readStatus('Upwork connections')).text).toBe('3 of 6 synchronisations fail');
  });

  it('counts a delivery from its first failed attempt until a day after it was given up', async () => {
    const receiver = await new WebhookReceiver().start();
    const { body } = await ann.post('/v1/webhooks', { url: receiver.url });
    await receiver.stop();
    await sql(
      `INSERT INTO alert_deliveries (user_id, webhook_id, event_type, payload, created_at)
       VALUES ($1, $2, 'x', '{}', now() - interval '27 hours')`,
      [ann.id, body.id],
    );

    await worker.runTask('deliver-alerts');
    expect(await readStatus('Webhooks and mail')).toEqual({
      tag: 'Warning',
      text: '1 webhook event not delivered yet',
      isReason: true,
    });
    await sql('UPDATE users SET is_active = false WHERE id = $1');
    expect((await readStatus('Webhooks and mail')).tag).toBe('OK');
    await sql('UPDATE users SET is_active = true WHERE id = $1');

    await sql('UPDATE alert_deliveries SET attempts = $1, next_at = now()', [ATTEMPTS_BEFORE_LAST]);
    await worker.runTask('deliver-alerts');
    expect(await sql('SELECT status FROM alert_deliveries', [])).toEqual([{ status: 'failed' }]);
    expect(await readStatus('Webhooks and mail')).toEqual({
      tag: 'Warning',
      text: '1 webhook event given up in the last 24 hours',
      isReason: true,
    });

    await sql(`UPDATE alert_deliveries SET next_at = next_at - interval '25 hours'`, []);
    expect((await readStatus('Webhooks and mail')).tag).toBe('OK');
  });

  it('counts emails not sent yet, and those given up in the last 24 hours', async () => {
    const mail = (status: string, ended: string, count: number) =>
      sql(
        `INSERT INTO email_outbox (
           recipient_hash, domain_hash, seal_key, sealed_email, status, attempts, error, ended_at
         )
         SELECT sha256('x'), sha256('x'), gen_random_uuid(), CASE WHEN $1 = 'pending' THEN 'x' END, $1, 1,
           'ECONNREFUSED', ${ended}
         FROM generate_series(1, $2)`,
        [status, count],
      );
    await mail('pending', 'NULL', 1);
    await mail('failed', 'now()', 2);
    await mail('failed', `now() - interval '25 hours'`, 3);

    expect(await readStatus('Webhooks and mail')).toEqual({
      tag: 'Warning',
      text: '1 email not sent yet; 2 emails given up in the last 24 hours',
      isReason: true,
    });
  });
});
