import { randomBytes } from 'node:crypto';
import { EncryptionService } from '../../src/platform/encryption/encryption.service';
import { startApp, type TestApp } from '../support/app';
import { signedIn, type SignedInCaller } from '../support/as';
import { Caller } from '../support/caller';
import { aWorker } from '../support/hand-worker';
import { aPerson, signIn } from '../support/people';

const USERS = 1_500;

describe('the rotation of encryption keys', () => {
  let app: TestApp;
  let admin: SignedInCaller;
  const sealed: { userId: number; value: string }[] = [];

  beforeAll(async () => {
    app = await startApp();
    admin = await signedIn(app, { role: 'admin' });
    const rows = await app.db.query<{ id: number }>(
      'superuser',
      `INSERT INTO users (email, encrypted_password) SELECT 'user' || g || '@example.com', 'none' FROM generate_series(1, $1) g RETURNING id`,
      [USERS],
    );
    const encryption = app.get(EncryptionService);
    for (const { id: userId } of rows) sealed.push({ userId, value: await encryption.seal(`secret ${userId}`, placeOf(userId)) });
  }, 60_000);
  afterAll(() => app.close());

  const placeOf = (userId: number) => ({ table: 'user_tokens', column: 'encrypted_access_token', userId, sealKey: 'a-uuid' });

  it('wraps every data key anew while secrets are read and made, is resumed after deaths, and frees the old key', async () => {
    const keys = `new:${randomBytes(32).toString('base64')},${app.settings['ENCRYPTION_KEYS']}`;
    const rotated = await startApp({ beside: app, settings: { ENCRYPTION_KEYS: keys } });
    const worker = await aWorker(rotated);
    let failed = 0;
    let opened = 0;
    let isOver = false;
    const reading = (async () => {
      while (!isOver) {
        const { userId, value } = sealed[Math.floor(Math.random() * sealed.length)]!;
        const text = await rotated.get(EncryptionService).open(value, placeOf(userId)).catch(() => undefined);
        if (text === `secret ${userId}`) opened += 1;
        else failed += 1;
      }
    })();
    // What a worker that died in the middle leaves: the first batches done, the rest not.
    await app.db.query('superuser', `CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.id % 700 = 0 THEN RAISE EXCEPTION 'killed'; END IF; RETURN NEW; END $$`);
    await app.db.query('superuser', `CREATE TRIGGER die BEFORE UPDATE ON data_keys FOR EACH ROW EXECUTE FUNCTION die()`);
    await expect(worker.runTask('rotate-encryption-keys')).rejects.toThrow();
    const { body: halfway } = await new Caller(rotated.url, admin.token).get('/v1/admin/encryption-keys');
    await app.db.query('superuser', 'DROP FUNCTION die() CASCADE');
    await worker.runTask('rotate-encryption-keys');
    isOver = true;
    await reading;

    const { body } = await new Caller(rotated.url, admin.token).get('/v1/admin/encryption-keys');
    expect(halfway.items.find(({ id }: { id: string }) => id === 'test').uses).toBeGreaterThan(0);
    expect(halfway.items.find(({ id }: { id: string }) => id === 'new').uses).toBeGreaterThan(0);
    expect(body.items).toEqual([
      { id: 'new', isCurrent: true, isConfigured: true, uses: USERS, backups: 0 },
      { id: 'test', isCurrent: false, isConfigured: true, uses: 0, backups: 0 },
    ]);
    expect(failed).toBe(0);
    expect(opened).toBeGreaterThan(50);
    const withoutOld = await startApp({ beside: app, settings: { ENCRYPTION_KEYS: keys.split(',')[0]! } });
    for (const { userId, value } of sealed.slice(0, 50)) {
      expect(await withoutOld.get(EncryptionService).open(value, placeOf(userId))).toBe(`secret ${userId}`);
    }
    await withoutOld.close();
    await worker.close();
    await rotated.close();
  }, 120_000);

  it('is asked for by an admin after a step-up, with a reason, and by nobody else', async () => {
    const person = await aPerson(app, { role: 'admin' });
    const late = await signIn(app, person);
    const rotate = (body: object = { reason: 'yearly' }) => late.post('/v1/admin/encryption-keys/rotate', body);

    expect(await rotate()).toMatchObject({ status: 403, body: { code: 'auth.step_up_required' } });
    expect((await late.post('/v1/auth/step-up', { password: person.password })).status).toBe(204);
    expect(await rotate()).toMatchObject({ status: 202, body: { task: 'rotate-encryption-keys' } });
    expect((await rotate({})).status).toBe(400);
    expect((await (await signedIn(app)).post('/v1/admin/encryption-keys/rotate', { reason: 'yearly' })).status).toBe(403);
  });
});
