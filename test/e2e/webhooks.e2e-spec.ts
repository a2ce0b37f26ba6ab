import { EventEmitter, once } from 'node:events';
import type { Socket } from 'node:net';
import { DeliveriesService } from '../../src/webhooks/deliveries.service';
import { WebhookSenderService } from '../../src/webhooks/webhook-sender.service';
import { Config } from '../../src/platform/config/config';
import { loadConfig } from '../../src/platform/config/load-config';
import { SavedSearchesService } from '../../src/saved-searches/saved-searches.service';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import type { Answer } from '../support/caller';
import { createManualWorker, type ManualWorker } from '../support/test-worker';
import { listEmails } from '../support/emails';
import { startRawReceiver, verifySignatures, WebhookReceiver } from '../support/webhook-receiver';
import { runAsUser } from '../support/run-as-user';

const FORBIDDEN_URLS = [
  'http://example.com/',
  'https://10.0.0.1/',
  'https://169.254.169.254/latest/',
  'https://u:p@example.com/',
  'https://[fd00::1]/',
  'https://[::a9fe:a9fe]/',
  'https://[::ffff:a9fe:a9fe]/',
  'https://[::ffff:0:a9fe:a9fe]/',
  'https://[64:ff9b::a9fe:a9fe]/',
  'https://168.63.129.16/',
];

const INVALID_URLS = [
  'https://example.com\\@hooks.example/',
  'https://example.com/\u202e',
  'not a url',
  'https://[::1%25lo]/',
  'https://[fe80::1%25lo]/',
  'https://[::1%25]/',
  'https://\u200d/',
  'https://0x100000000/',
  'https://',
  'javascript:alert(1)',
];

describe('/v1/webhooks', () => {
  let app: TestApp;
  let worker: ManualWorker;
  let receiver: WebhookReceiver;
  let ann: SignedInCaller;

  beforeAll(async () => {
    app = await startApp();
    worker = await createManualWorker(app);
  });
  beforeEach(async () => {
    ann = await createSignedInCaller(app);
    receiver = await new WebhookReceiver().start();
  });
  afterEach(async () => {
    await receiver.stop();
    await app.db.query('superuser', 'DELETE FROM alert_deliveries');
  });
  afterAll(async () => {
    await worker.close();
    await app.close();
  });

  const createWebhook = async (): Promise<{ id: number; secret: string }> =>
    (await ann.post('/v1/webhooks', { url: receiver.url })).body;
  const deliver = () => worker.runTask('deliver-alerts');
  const listDeliveries = async (id: number): Promise<Answer['body'][]> =>
    (await ann.get(`/v1/webhooks/${id}/deliveries`)).body.items;
  const passTime = () =>
    app.db.query(
      'superuser',
      `UPDATE alert_deliveries SET next_at = next_at - interval '1 day', lease_until = lease_until - interval '1 day'`,
    );

  /** Creates a saved search with new matches, as a synchronisation leaves it. */
  async function createMatchedSearch(name: string, newMatches: number, webhookId: number | null): Promise<void> {
    const { status, body } = await ann.post('/v1/saved-searches', { name, query: 'x', alertHours: 1, webhookId });
    expect([status, body.webhookId]).toEqual([201, webhookId]);
    await app.db.query('superuser', 'UPDATE saved_searches SET new_matches = $2 WHERE id = $1', [body.id, newMatches]);
  }
  const record = () => runAsUser(ann.id, () => app.get(SavedSearchesService).recordDeliveries());

  it('returns a secret once, and never stores it in plain text', async () => {
    const made = await ann.post('/v1/webhooks', { url: receiver.url }, { 'idempotency-key': 'once' });
    const { id, secret } = made.body;

    expect([made.status, made.headers.get('location'), made.headers.get('cache-control')]).toEqual([
      201,
      `/v1/webhooks/${id}`,
      'no-store',
    ]);
    expect(secret).toMatch(/^whsec_.{44}$/);
    expect((await ann.get(`/v1/webhooks/${id}`)).body).not.toHaveProperty('secret');
    expect((await ann.get('/v1/webhooks')).body.items).toHaveLength(1);
    const tables = ['webhooks', 'idempotency_keys', 'audit_logs', 'security_logs'];
    for (const table of tables) {
      const [row] = await app.db.query<{ dump: string }>(
        'superuser',
        `SELECT coalesce(string_agg(t::text, ' '), '') AS dump FROM ${table} t`,
      );
      expect(row!.dump).not.toContain(secret.slice(6));
    }
    const trail = await ann.get(`/v1/audit/webhooks/${id}`);
    expect(JSON.stringify(trail.body)).toContain('[redacted]');
  });

  it('sends a signed test message, and records the result', async () => {
    const { id, secret } = await createWebhook();

    const begunAt = Date.now();
    const asked = await ann.post(`/v1/webhooks/${id}/test`);
    await deliver();

    expect([asked.status, asked.body.status]).toEqual([202, 'pending']);
    const [message] = receiver.received;
    expect(JSON.parse(message!.body)).toEqual({
      type: 'webhook.test',
      timestamp: asked.body.createdAt,
      data: { message: expect.any(String) },
    });
    expect(message!.headers).toMatchObject({ 'webhook-id': asked.body.eventId, 'content-type': 'application/json' });
    const sentAt = Number(message!.headers['webhook-timestamp']) * 1_000;
    expect(sentAt).toBeGreaterThan(begunAt - 1_000);
    expect(sentAt).toBeLessThanOrEqual(Date.now());
    expect(verifySignatures(secret, message!)).toEqual([0]);
    expect(await listDeliveries(id)).toMatchObject([
      { status: 'delivered', attempts: 1, responseStatus: 204, lastError: null, nextAttemptAt: null },
    ]);
  });

  it('sends the new matches of all searches of a webhook in one message, and emails the others', async () => {
    const { id } = await createWebhook();
    await createMatchedSearch('Databases', 3, id);
    await createMatchedSearch('Go', 1, id);
    await createMatchedSearch('Vue', 2, null);

    expect(await record()).toBe(2);
    expect(await record()).toBe(0);
    await deliver();

    expect(receiver.received.map(({ body }) => JSON.parse(body).data.searches)).toEqual([
      [
        expect.objectContaining({ name: 'Databases', newMatches: 3 }),
        expect.objectContaining({ name: 'Go', newMatches: 1 }),
      ],
    ]);
    const emails = await listEmails(await createSignedInCaller(app, { role: 'admin' }), ann.email);
    expect(emails.map(({ text }) => text.split('\n')[0])).toEqual(['Vue: 2']);
  });

  it('loses no delivery when a worker dies, and sends it once when several workers claim it', async () => {
    await createMatchedSearch('Databases', 3, null);
    await record();
    const { id } = await createWebhook();
    const { body: taken } = await ann.post(`/v1/webhooks/${id}/test`);
    await app.db.query(
      'superuser',
      `UPDATE alert_deliveries
       SET lease_owner = gen_random_uuid(), lease_until = now() + interval '1 minute', attempts = 1 WHERE id = $1`,
      [taken.id],
    );

    await Promise.all([deliver(), deliver(), deliver()]);
    expect(receiver.received).toHaveLength(0);
    await passTime();
    await Promise.all([1, 2, 3].map(() => runAsUser(ann.id, () => app.get(DeliveriesService).deliver(taken.id))));

    expect(receiver.received.map(({ headers }) => headers['webhook-id'])).toEqual([taken.eventId]);
    expect(await listEmails(await createSignedInCaller(app, { role: 'admin' }), ann.email)).toHaveLength(1);
  });

  it('retries with growing delays under the same id, fails after over a day, and sends again on request', async () => {
    const { id } = await createWebhook();
    receiver.answer = (response) => response.writeHead(500).end('no');
    await ann.post(`/v1/webhooks/${id}/test`);
    for (const pause of [60, 300, 1_800, 7_200, 18_000, 36_000, 36_000]) {
      const begunAt = Date.now();
      await deliver();
      const [delivery] = await listDeliveries(id);
      expect(delivery).toMatchObject({
        status: 'pending',
        responseStatus: 500,
        lastError: 'The receiver answered 500.',
      });
      expectPause(delivery.nextAttemptAt, begunAt, pause);
      expect((await ann.post(`/v1/webhooks/${id}/deliveries/${delivery.id}/retry`)).body.code).toBe(
        'webhook.delivery_not_failed',
      );
      await passTime();
    }
    await deliver();
    await deliver();
    const [failed] = await listDeliveries(id);
    expect(failed).toMatchObject({ status: 'failed', attempts: 8, nextAttemptAt: null });
    receiver.answer = (response) => response.writeHead(200).end();

    expect((await ann.post(`/v1/webhooks/${id}/deliveries/${failed.id}/retry`)).status).toBe(202);
    await deliver();

    expect((await listDeliveries(id))[0]).toMatchObject({ status: 'delivered', responseStatus: 200 });
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([failed.eventId]));
    expect(receiver.received).toHaveLength(9);
  });

  it('signs with both secrets for a day after a rotation', async () => {
    const { id, secret } = await createWebhook();
    const rotated = await ann.post(`/v1/webhooks/${id}/rotate-secret`, {}, { 'if-match': '"1"' });
    expect((await ann.post(`/v1/webhooks/${id}/rotate-secret`, {}, { 'if-match': '"1"' })).status).toBe(412);
    await ann.post(`/v1/webhooks/${id}/test`);
    await deliver();
    await app.db.query(
      'superuser',
      `UPDATE webhooks SET previous_secret_until = now() - interval '1 second' WHERE id = $1`,
      [id],
    );
    await ann.post(`/v1/webhooks/${id}/test`);
    await deliver();

    const [during, after] = receiver.received;
    expect([verifySignatures(rotated.body.secret, during!), verifySignatures(secret, during!)]).toEqual([[0], [1]]);
    expect([verifySignatures(rotated.body.secret, after!), verifySignatures(secret, after!)]).toEqual([[0], []]);
  });

  it('is disabled by 410; new matches wait until it is enabled again', async () => {
    const { id } = await createWebhook();
    receiver.answer = (response) => response.writeHead(410).end();
    await ann.post(`/v1/webhooks/${id}/test`);
    await deliver();
    expect((await ann.get(`/v1/webhooks/${id}`)).body.isActive).toBe(false);
    expect(await listDeliveries(id)).toMatchObject([{ status: 'failed', lastError: 'The receiver answered 410.' }]);
    await createMatchedSearch('Databases', 3, id);
    expect(await record()).toBe(0);

    await ann.patch(`/v1/webhooks/${id}`, { isActive: true });

    expect(await record()).toBe(1);
  });

  it("are not delayed by another user's receiver that never answers, even if recorded meanwhile", async () => {
    const slow = await new WebhookReceiver().start();
    const sender = worker.get(WebhookSenderService);
    const { timeoutMs } = sender;
    // Long enough that the slow receiver never times out.
    sender.timeoutMs = 600_000;
    const events = new EventEmitter();
    const open: (() => void)[] = [];
    slow.answer = (response) => {
      open.push(() => response.writeHead(204).end());
      events.emit('called');
    };
    const { body: dead } = await ann.post('/v1/webhooks', { url: slow.url });
    for (let n = 0; n < 5; n++) expect((await ann.post(`/v1/webhooks/${dead.id}/test`)).status).toBe(202);
    const bob = await createSignedInCaller(app);
    const { body: good } = await bob.post('/v1/webhooks', { url: receiver.url });
    receiver.answer = (response) => {
      response.writeHead(204).end();
      events.emit('arrived');
    };
    await bob.post(`/v1/webhooks/${good.id}/test`);

    const first = once(events, 'arrived');
    const run = deliver();
    await first;
    const second = once(events, 'arrived');
    await bob.post(`/v1/webhooks/${good.id}/test`);
    await second;
    if (open.length < 2) await once(events, 'called');

    expect([receiver.received.length, slow.received.length]).toEqual([2, 2]);
    slow.answer = (response) => response.writeHead(204).end();
    for (const end of open) end();
    await run;
    expect([receiver.received.length, slow.received.length]).toEqual([2, 5]);
    sender.timeoutMs = timeoutMs;
    await slow.stop();
  });

  it('serves each tenant once before any tenant twice', async () => {
    const tenants = [ann, await createSignedInCaller(app), await createSignedInCaller(app)];
    for (const tenant of tenants) {
      const { body } = await tenant.post('/v1/webhooks', { url: receiver.url });
      for (let n = 0; n < 3; n++) await tenant.post(`/v1/webhooks/${body.id}/test`);
    }

    const due = await app.db.query<{ user_id: number }>('superuser', 'SELECT user_id FROM app.deliveries_due(4)');

    expect(due.map(({ user_id }) => user_id)).toEqual([...tenants.map(({ id }) => id), ann.id]);
  });

  it('limits tests to five a minute per webhook', async () => {
    const [{ id }, other] = [await createWebhook(), await createWebhook()];

    const answers = await Promise.all(Array.from({ length: 12 }, () => ann.post(`/v1/webhooks/${id}/test`)));
    const refused = answers.filter(({ status }) => status === 429);

    expect([answers.filter(({ status }) => status === 202).length, refused.length]).toEqual([5, 7]);
    expect(refused[0]!.body).toMatchObject({
      code: 'rate.limited',
      detail: expect.stringContaining('5 times a minute'),
    });
    expect(Number(refused[0]!.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(refused[0]!.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect((await ann.post(`/v1/webhooks/${other.id}/test`)).status).toBe(202);
    await app.db.query(
      'superuser',
      `UPDATE alert_deliveries SET created_at = created_at - interval '1 minute' WHERE webhook_id = $1`,
      [id],
    );
    expect((await ann.post(`/v1/webhooks/${id}/test`)).status).toBe(202);
  });

  it('is paused after timeouts, longer each time, and resumes at the first answer', async () => {
    const slow = await startRawReceiver(() => undefined);
    const { body: dead } = await ann.post('/v1/webhooks', { url: slow.url });
    const { id: other } = await createWebhook();
    const sender = worker.get(WebhookSenderService);
    const defaultTimeoutMs = sender.timeoutMs;
    sender.timeoutMs = 100;
    for (const minutes of [1, 2, 4]) {
      for (let n = 0; n < 2; n++) await ann.post(`/v1/webhooks/${dead.id}/test`);
      await deliver();
      const [row] = await app.db.query<{ seconds: number }>(
        'superuser',
        'SELECT extract(epoch FROM paused_until - now())::float8 AS seconds FROM webhooks WHERE id = $1',
        [dead.id],
      );
      expect(row!.seconds).toBeLessThanOrEqual(minutes * 60);
      expect(row!.seconds).toBeGreaterThan((minutes - 1) * 60);
      await app.db.query('superuser', `UPDATE webhooks SET paused_until = now() WHERE id = $1`, [dead.id]);
      await app.db.query('superuser', `DELETE FROM alert_deliveries`);
    }
    sender.timeoutMs = defaultTimeoutMs;
    await app.db.query('superuser', `UPDATE webhooks SET paused_until = now() + interval '1 minute' WHERE id = $1`, [
      dead.id,
    ]);
    await ann.post(`/v1/webhooks/${dead.id}/test`);
    await ann.post(`/v1/webhooks/${other}/test`);
    await deliver();
    expect([(await listDeliveries(dead.id))[0].attempts, receiver.received.length]).toEqual([0, 1]);

    await app.db.query('superuser', `UPDATE webhooks SET paused_until = now(), url = $2 WHERE id = $1`, [
      dead.id,
      receiver.url,
    ]);
    await passTime();
    await deliver();

    expect(
      await app.db.query('superuser', 'SELECT timeouts, paused_until FROM webhooks WHERE id = $1', [dead.id]),
    ).toEqual([{ timeouts: 0, paused_until: null }]);
    expect((await ann.get(`/v1/webhooks/${dead.id}`)).body.version).toBe(2);
    await slow.stop();
  });

  it.each([
    ['503', '900', 900],
    ['429', () => new Date(Date.now() + 900_000).toUTCString(), 900],
    ['503', '999999', 3_600],
    ['503', 'soon', 60],
    ['500', '900', 60],
  ])('waits after %s as long as Retry-After %p asks for', async (status, header, seconds) => {
    const { id } = await createWebhook();
    receiver.answer = (response) =>
      response.writeHead(Number(status), { 'retry-after': typeof header === 'string' ? header : header() }).end();
    await ann.post(`/v1/webhooks/${id}/test`);
    await ann.post(`/v1/webhooks/${id}/test`);
    const begunAt = Date.now();

    await deliver();

    for (const { nextAttemptAt } of await listDeliveries(id)) expectPause(nextAttemptAt, begunAt, seconds);
  });

  it('is accessible to its owner only', async () => {
    const { id } = await createWebhook();
    const bob = await createSignedInCaller(app);

    const answers = [
      await bob.get(`/v1/webhooks/${id}`),
      await bob.patch(`/v1/webhooks/${id}`, { isActive: false }),
      await bob.post(`/v1/webhooks/${id}/rotate-secret`),
      await bob.post(`/v1/webhooks/${id}/test`),
      await bob.get(`/v1/webhooks/${id}/deliveries`),
      await bob.delete(`/v1/webhooks/${id}`),
    ];
    const stolen = await bob.post('/v1/saved-searches', { name: 'X', query: 'x', webhookId: id });

    expect(answers.map(({ status, body }) => [status, body.code])).toEqual(
      answers.map(() => [404, 'webhook.not_found']),
    );
    expect([stolen.status, stolen.body.code, stolen.body.errors[0].pointer]).toEqual([
      422,
      'reference.not_found',
      '/webhookId',
    ]);
    await createMatchedSearch('Databases', 1, id);
    expect((await ann.delete(`/v1/webhooks/${id}`)).status).toBe(204);
    expect((await ann.get('/v1/saved-searches')).body.items[0]).toMatchObject({ webhookId: null });
  });

  it.each(FORBIDDEN_URLS)('rejects %s', async (url) => {
    const { id } = await createWebhook();

    for (const answer of [await ann.post('/v1/webhooks', { url }), await ann.patch(`/v1/webhooks/${id}`, { url })]) {
      expect([answer.status, answer.body.code, answer.body.errors[0].pointer]).toEqual([
        422,
        'webhook.url_refused',
        '/url',
      ]);
    }
  });

  it.each(INVALID_URLS)('reports %p as an invalid URL', async (url) => {
    const { id } = await createWebhook();

    for (const answer of [await ann.post('/v1/webhooks', { url }), await ann.patch(`/v1/webhooks/${id}`, { url })]) {
      expect([answer.status, answer.body.code, answer.body.errors[0].pointer]).toEqual([
        400,
        'validation.failed',
        '/url',
      ]);
    }
  });
});

describe(WebhookSenderService.name, () => {
  let app: TestApp;
  let receiver: WebhookReceiver;
  const message = { id: 'x', timestamp: 1, body: '{}' };
  const secrets = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'];

  beforeAll(async () => {
    app = await startApp();
    receiver = await new WebhookReceiver().start();
  });
  afterAll(async () => {
    await receiver.stop();
    await app.close();
  });

  it('follows no redirect', async () => {
    const inner = await new WebhookReceiver().start();
    receiver.answer = (response) => response.writeHead(302, { location: inner.url }).end();

    expect(await app.get(WebhookSenderService).send(receiver.url, message, secrets)).toEqual({
      status: 302,
      error: 'The receiver answered 302.',
    });
    expect(inner.received).toEqual([]);
    await inner.stop();
  });

  it('limits the time and the size of an answer', async () => {
    const sender = Object.assign(new WebhookSenderService(app.get(Config)), { timeoutMs: 200 });
    receiver.answer = () => undefined;
    expect(await sender.send(receiver.url, message, secrets)).toEqual({
      status: null,
      error: 'The receiver did not answer within 0.2 s.',
      hasTimedOut: true,
    });

    const cut = new Promise<number>((resolve) => {
      receiver.answer = (response) => {
        let sent = 0;
        const more = setInterval(() => response.write('x'.repeat(16_384), () => (sent += 16_384)), 1);
        response.writeHead(200).on('close', () => (clearInterval(more), resolve(sent)));
      };
    });
    expect(await app.get(WebhookSenderService).send(receiver.url, message, secrets)).toEqual({
      status: 200,
      error: null,
    });
    expect(await cut).toBeLessThan(8_000_000);
  });

  const forever = (socket: Socket, text: string): void => {
    const more = (): boolean => socket.write(text) || !socket.once('drain', more);
    more();
  };
  it.each<[string, (socket: Socket) => void]>([
    ['an invalid status line', (socket) => socket.end('HTTP/9.9 what\r\n\r\n')],
    ['another protocol', (socket) => socket.end('220 mail.example.com ESMTP\r\n')],
    ['headers that are too large', (socket) => socket.end(`HTTP/1.1 200 OK\r\nx: ${'x'.repeat(100_000)}\r\n\r\n`)],
    [
      'headers without an end',
      (socket) => (socket.write('HTTP/1.1 200 OK\r\n'), forever(socket, 'x: y\r\n'.repeat(1_000))),
    ],
    ['early hints without an end', (socket) => forever(socket, 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100))],
    ['a broken length', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n')],
    ['an end before the answer', (socket) => socket.destroy()],
    ['half a status line', (socket) => void socket.write('HTTP/1.1 2')],
  ])('treats %s as a failed delivery', async (_, answer) => {
    const raw = await startRawReceiver(answer);
    const sender = Object.assign(new WebhookSenderService(app.get(Config)), { timeoutMs: 500 });

    const result = await sender.send(raw.url, message, secrets);

    expect(result).toMatchObject({
      status: null,
      error: expect.stringMatching(/^The receiver (could not be reached|did not answer)/),
    });
    await raw.stop();
  });

  it('treats a switch of protocols as a failed delivery, and closes the connection', async () => {
    let hasClosed: Promise<unknown> | undefined;
    const raw = await startRawReceiver((socket) => {
      hasClosed = once(socket, 'close');
      socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n');
    });

    expect(await app.get(WebhookSenderService).send(raw.url, message, secrets)).toEqual({
      status: 101,
      error: 'The receiver answered 101.',
    });
    await hasClosed;
    await raw.stop();
  });

  it('calls only public addresses in production', async () => {
    const { isProduction } = loadConfig({
      ...app.settings,
      NODE_ENV: 'production',
      SMTP_URL: 'smtp://127.0.0.1:9',
      PASSWORD_HASH_COST: '10',
    });
    const sender = new WebhookSenderService({ isProduction } as Config);
    const { port } = new URL(receiver.url);

    for (const url of [`https://localhost:${port}/`, `https://127.0.0.1:${port}/`]) {
      expect(await sender.send(url, message, secrets)).toEqual({
        status: null,
        error: 'The webhook URL must lead to a public address.',
      });
    }
    expect(await sender.send(receiver.url, message, secrets)).toEqual({
      status: null,
      error: 'Webhook URLs must begin with https://.',
    });
  });

  it('reports a refused connection', async () => {
    expect(await app.get(WebhookSenderService).send('http://127.0.0.1:1/', message, secrets)).toEqual({
      status: null,
      error: 'The receiver could not be reached (ECONNREFUSED).',
    });
  });
});

/** Expects that a delivery waits for this pause, of which up to a tenth is subtracted. */
function expectPause(nextAttemptAt: string, begunAt: number, seconds: number): void {
  expect(Date.parse(nextAttemptAt) - begunAt).toBeGreaterThan(seconds * 0.9 * 1_000 - 1_000);
  expect(Date.parse(nextAttemptAt) - Date.now()).toBeLessThanOrEqual(seconds * 1_000);
}
