import { randomBytes } from 'node:crypto';
import { EncryptionService } from '../../src/platform/encryption/encryption.service';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, createUser, signInFrom } from '../support/accounts';
import type { Caller } from '../support/caller';
import { waitFor } from '../support/wait-for';
import { createManualWorker, type ManualWorker } from '../support/test-worker';
import { createKeyFile } from '../support/encryption';
import { buildSecretContext, createSecrets, startReaders } from '../support/sealed-secrets';

const USERS = 1_100;

/** Creates an admin who has just re-authenticated. */
async function createSteppedUpAdmin(app: TestApp): Promise<Caller> {
  const account = await createUser(app, { role: 'admin' });
  const admin = await signInFrom(app, account);
  await admin.post('/v1/auth/step-up', { password: account.password });
  return admin;
}

describe('the rotation of a key file', () => {
  const file = createKeyFile();
  let app: TestApp;
  let second: TestApp;
  let worker: ManualWorker;
  let admin: Caller;

  beforeAll(async () => {
    app = await startApp({ settings: file.settings });
    second = await startApp({ sharedWith: app });
    worker = await createManualWorker(app);
    admin = await createSteppedUpAdmin(app);
  });
  afterAll(async () => {
    await worker.close();
    await second.close();
    await app.close();
    file.remove();
  });

  const keys = () => admin.get('/v1/admin/encryption-keys');
  const rotate = (reason = 'yearly') => admin.post('/v1/admin/encryption-keys/rotate', { reason });
  const retire = (id: string) => admin.post(`/v1/admin/encryption-keys/${id}/retire`, { reason: 'rotated' });

  it('creates its key, re-wraps data keys while they are used, resumes after a crash, frees the old key', async () => {
    const sealed = await createSecrets(app, USERS);
    const { body: before } = await keys();
    const total = before.items[0].uses as number;
    const { counts, stop } = startReaders([app, second], sealed);
    // Simulates a crash in the middle: only the first batches are done.
    await app.db.query(
      'superuser',
      `CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.id % 700 = 0 THEN RAISE EXCEPTION 'killed'; END IF; RETURN NEW; END $$`,
    );
    await app.db.query(
      'superuser',
      `CREATE TRIGGER die BEFORE UPDATE ON data_keys FOR EACH ROW EXECUTE FUNCTION die()`,
    );

    expect(await rotate()).toMatchObject({ status: 202, body: { task: 'rotate-encryption-keys' } });
    const { body: asked } = await keys();
    await expect(worker.runTask('rotate-encryption-keys')).rejects.toThrow();
    const { body: halfway } = await keys();
    const openedBefore = counts.opened;
    await waitFor('secrets of old and of new keys are read', () => counts.opened > openedBefore + 50);
    await app.db.query('superuser', 'DROP FUNCTION die() CASCADE');
    expect((await rotate('again')).status).toBe(202);
    const made = await createSecrets(second, 20);
    await worker.runTask('rotate-encryption-keys');
    await stop();
    const { body: done } = await keys();

    const { keyId } = asked.rotation;
    expect(asked).toMatchObject({
      makesKeys: true,
      rotation: { promotedAt: null, finishedAt: null, rewrapped: 0, total },
    });
    expect(halfway.rotation).toMatchObject({ keyId, startedAt: asked.rotation.startedAt, finishedAt: null });
    expect(halfway.rotation.promotedAt).not.toBeNull();
    expect(halfway.rotation.rewrapped).toBeGreaterThan(0);
    expect(halfway.rotation.rewrapped).toBeLessThan(total);
    expect(done.items[0]).toEqual({ id: keyId, isCurrent: true, isConfigured: true, uses: total + 20, backups: 0 });
    expect(done.items.slice(1).every(({ uses }: { uses: number }) => uses === 0)).toBe(true);
    expect(done.items[1].id).toBe(before.items[0].id);
    expect(done.rotation).toMatchObject({ keyId, rewrapped: total + 20, total: total + 20 });
    expect(done.rotation.finishedAt).not.toBeNull();
    expect(counts.failed).toBe(0);
    const restarted = await startApp({ sharedWith: app });
    for (const { userId, value } of [...sealed.slice(0, 50), ...made]) {
      expect(await restarted.get(EncryptionService).open(value, buildSecretContext(userId))).toBe(`secret ${userId}`);
    }
    await restarted.close();
  });

  it('destroys an old key only when it wraps nothing', async () => {
    await createSecrets(app, 2);
    await app.db.query(
      'superuser',
      `UPDATE key_rotations SET promoted_at = now(), finished_at = now() WHERE finished_at IS NULL`,
    );
    await rotate();
    await worker.runTask('rotate-encryption-keys');
    const [current, old] = (await keys()).body.items.map(({ id }: { id: string }) => id) as [string, string];
    const rewrite = (from: string, to: string) =>
      app.db.query(
        'superuser',
        `UPDATE data_keys SET wrapped_key = replace(wrapped_key, $1, $2) WHERE id = (SELECT min(id) FROM data_keys)`,
        [`w1.${from}.`, `w1.${to}.`],
      );

    expect(await retire('nobody')).toMatchObject({ status: 404, body: { code: 'encryption_key.not_found' } });
    expect(await retire(current)).toMatchObject({ status: 409, body: { code: 'encryption_key.in_use' } });
    expect(await retire(old)).toMatchObject({
      status: 409,
      body: { code: 'encryption_key.in_use', detail: expect.stringContaining('minute') as string },
    });
    await app.db.query('superuser', `UPDATE key_rotations SET finished_at = now() - interval '2 minutes'`);
    await rewrite(current, old);
    expect(await retire(old)).toMatchObject({
      status: 409,
      body: { detail: 'The key still wraps data keys (1). Rotate the keys first.' },
    });
    await rewrite(old, current);
    expect((await retire(old)).status).toBe(204);
    expect((await keys()).body.items.map(({ id }: { id: string }) => id)).not.toContain(old);
  });

  it('needs an admin, a step-up and a reason', async () => {
    const account = await createUser(app, { role: 'admin' });
    const sessionWithoutStepUp = await signInFrom(app, account);
    const request = (body: object = { reason: 'yearly' }) =>
      sessionWithoutStepUp.post('/v1/admin/encryption-keys/rotate', body);

    expect(await request()).toMatchObject({ status: 403, body: { code: 'auth.step_up_required' } });
    expect(await sessionWithoutStepUp.post('/v1/admin/encryption-keys/k1/retire', { reason: 'x' })).toMatchObject({
      status: 403,
      body: { code: 'auth.step_up_required' },
    });
    expect((await sessionWithoutStepUp.post('/v1/auth/step-up', { password: account.password })).status).toBe(204);
    expect(await request()).toMatchObject({ status: 202, body: { task: 'rotate-encryption-keys' } });
    expect((await request({})).status).toBe(400);
    expect(
      (await (await createSignedInCaller(app)).post('/v1/admin/encryption-keys/rotate', { reason: 'yearly' })).status,
    ).toBe(403);
  });
});

describe('the rotation of keys from the environment', () => {
  const key = () => randomBytes(32).toString('base64');
  const [older, newer] = [`old:${key()}`, `new:${key()}`];
  let app: TestApp;
  let worker: ManualWorker;
  let admin: Caller;

  beforeAll(async () => {
    app = await startApp({ settings: { ENCRYPTION_KEYS: `${newer},${older}`, TASK_LEASE_SECONDS: '2' } });
    worker = await createManualWorker(app);
    admin = await createSteppedUpAdmin(app);
  });
  afterAll(async () => {
    await worker.close();
    await app.close();
  });

  const keys = async () => (await admin.get('/v1/admin/encryption-keys')).body;
  const reasons = async () =>
    (
      await app.db.query<{ error: string }>(
        'superuser',
        `SELECT error FROM task_runs WHERE error IS NOT NULL ORDER BY id DESC LIMIT 1`,
      )
    )[0]!.error;

  it('uses a key only when every process has it, and ends only when every process wraps with it', async () => {
    const without = await startApp({ sharedWith: app, settings: { ENCRYPTION_KEYS: older } });
    const [sealed] = await createSecrets(without, 1);
    expect((await admin.post('/v1/admin/encryption-keys/rotate', { reason: 'yearly' })).status).toBe(202);

    await expect(worker.runTask('rotate-encryption-keys')).rejects.toThrow();
    expect(await reasons()).toMatch(/^not every process has the master key new: process \d+ of /);
    expect((await keys()).rotation).toMatchObject({ keyId: 'new', promotedAt: null, rewrapped: 0, total: 1 });
    await without.close();

    const halfway = await startApp({ sharedWith: app, settings: { ENCRYPTION_KEYS: `${older},${newer}` } });
    await expect(worker.runTask('rotate-encryption-keys')).rejects.toThrow();
    expect(await reasons()).toMatch(/^not every process wraps with the master key new/);
    const [made] = await createSecrets(halfway, 1);
    await halfway.close();
    expect((await keys()).rotation).toMatchObject({ finishedAt: null, rewrapped: 1, total: 2 });

    await worker.runTask('rotate-encryption-keys');
    expect(await keys()).toMatchObject({
      makesKeys: false,
      items: [
        { id: 'new', isCurrent: true, uses: 2 },
        { id: 'old', isCurrent: false, uses: 0 },
      ],
      rotation: { finishedAt: expect.any(String) as string },
    });
    const alone = await startApp({ sharedWith: app, settings: { ENCRYPTION_KEYS: newer } });
    for (const { userId, value } of [sealed!, made!]) {
      expect(await alone.get(EncryptionService).open(value, buildSecretContext(userId))).toBe(`secret ${userId}`);
    }
    await alone.close();
    expect(await admin.post('/v1/admin/encryption-keys/old/retire', { reason: 'x' })).toMatchObject({
      status: 409,
      body: { code: 'encryption_key.of_settings' },
    });
  });
});
