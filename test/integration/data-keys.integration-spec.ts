import { once } from 'node:events';
import { EncryptionService } from '../../src/platform/encryption/encryption.service';
import type { EncryptionContext } from '../../src/platform/encryption/ciphertext';
import { RedisClients } from '../../src/platform/redis/redis-clients';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { waitFor } from '../support/wait-for';
import { freezeDate } from '../support/frozen-date';

/** Lifetime of a cached key in a process without notifications. */
const UNSUBSCRIBED_LIFETIME_MS = 900;

describe('data keys', () => {
  let app: TestApp;
  let second: TestApp;
  let ann: SignedInCaller;
  let context: EncryptionContext;

  beforeAll(async () => {
    app = await startApp();
    second = await startApp({ sharedWith: app });
    ann = await createSignedInCaller(app);
    context = { table: 'user_tokens', column: 'encrypted_access_token', userId: ann.id, sealKey: 'a-uuid' };
  });
  afterEach(() => jest.useRealTimers());
  afterAll(async () => {
    await second.close();
    await app.close();
  });

  it('are created once when many processes encrypt the first secret at once', async () => {
    const { id } = await createSignedInCaller(app);
    const services = Array.from({ length: 20 }, (_, i) => (i % 2 ? app : second).get(EncryptionService));
    const sealed = await Promise.all(services.map((service) => service.seal('secret', { ...context, userId: id })));

    expect(new Set(sealed.map((value) => value.split('.')[1])).size).toBe(1);
    const rows = await app.db.query<{ wrapped_key: string }>(
      'superuser',
      `SELECT wrapped_key FROM data_keys WHERE user_id = $1`,
      [id],
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]?.wrapped_key).toMatch(/^w1\.test\./);
  });

  it('decrypt in another process', async () => {
    const sealed = await app.get(EncryptionService).seal('секрет', context);

    expect(await second.get(EncryptionService).open(sealed, context)).toBe('секрет');
  });

  it('prevent the start of a server with master keys of another database', async () => {
    await app.get(EncryptionService).seal('secret', { ...context, userId: null });
    const settings = { ENCRYPTION_KEYS: `test:${Buffer.alloc(32, 9).toString('base64')}` };

    await expect(startApp({ sharedWith: app, settings })).rejects.toThrow(
      'ENCRYPTION_KEYS: the keys belong to another database (a wrapped data key cannot be unwrapped)',
    );
  });

  it('are redacted in the audit log', async () => {
    await app.get(EncryptionService).seal('secret', context);
    const rows = await app.db.query<{ new_values: Record<string, unknown> }>(
      'superuser',
      `SELECT new_values FROM audit_logs WHERE table_name = 'data_keys' AND user_id = $1 AND action = 'INSERT'`,
      [ann.id],
    );

    expect(rows.length).toBeGreaterThan(0);
    expect(rows.every(({ new_values }) => new_values['wrapped_key'] === '[redacted]')).toBe(true);
  });

  it('make their values unreadable when destroyed, also in a copy of the row', async () => {
    const service = app.get(EncryptionService);
    const sealed = await service.seal('secret', context);

    expect(await service.erase(ann.id)).toBe(true);

    await expect(service.open(sealed, context)).rejects.toThrow('destroyed');
    expect(await app.db.query('superuser', `SELECT 1 FROM data_keys WHERE user_id = $1`, [ann.id])).toEqual([]);
  });

  it('are dropped by every process when notified of their destruction, and never used again', async () => {
    const services = [app, second].map((process) => process.get(EncryptionService));
    // No entry expires meanwhile.
    freezeDate();
    const { id: userId } = await createSignedInCaller(app);
    const userContext = { ...context, userId };
    const sealed = await services[1]!.seal('secret', userContext);
    for (const service of services) expect(await service.open(sealed, userContext)).toBe('secret');

    await services[0]!.erase(userId);
    await waitFor('the other process forgets the key', () =>
      services[1]!.open(sealed, userContext).then(
        () => false,
        (error: Error) => error.message.includes('destroyed'),
      ),
    );

    const another = await services[1]!.seal('new', userContext);
    expect(await services[0]!.open(another, userContext)).toBe('new');
  });

  it('are dropped within a second by a process that has lost Redis', async () => {
    const { id: userId } = await createSignedInCaller(app);
    const userContext = { ...context, userId };
    const disconnected = await startApp({ sharedWith: app });
    const sealed = await disconnected.get(EncryptionService).seal('secret', userContext);
    const { subscriber } = disconnected.get(RedisClients);
    const closed = once(subscriber, 'close');
    subscriber.disconnect();
    await closed;
    const date = freezeDate();
    expect(await disconnected.get(EncryptionService).open(sealed, userContext)).toBe('secret');

    await app.get(EncryptionService).erase(userId);
    date.advance(UNSUBSCRIBED_LIFETIME_MS - 1);
    expect(await disconnected.get(EncryptionService).open(sealed, userContext)).toBe('secret');
    date.advance(1);

    await expect(disconnected.get(EncryptionService).open(sealed, userContext)).rejects.toThrow('destroyed');
    await disconnected.close();
  });
});
