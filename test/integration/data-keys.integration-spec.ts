import { once } from 'node:events';
import { EncryptionService } from '../../src/platform/encryption/encryption.service';
import type { EncryptionContext } from '../../src/platform/encryption/ciphertext';
import { RedisClients } from '../../src/platform/redis/redis-clients';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { waitFor } from '../support/wait-for';
import { freezeDate } from '../support/frozen-date';

/** How long a process that hears of nothing believes what it remembers of a key. */
const KEPT_UNHEARD_MS = 900;

describe('data keys', () => {
  let app: TestApp;
  let second: TestApp;
  let ann: SignedInCaller;
  let place: EncryptionContext;

  beforeAll(async () => {
    app = await startApp();
    second = await startApp({ sharedWith: app });
    ann = await createSignedInCaller(app);
    place = { table: 'user_tokens', column: 'encrypted_access_token', userId: ann.id, sealKey: 'a-uuid' };
  });
  afterEach(() => jest.useRealTimers());
  afterAll(async () => {
    await second.close();
    await app.close();
  });

  it('are made once, however many processes seal the first secret at once', async () => {
    const { id } = await createSignedInCaller(app);
    const services = Array.from({ length: 20 }, (_, i) => (i % 2 ? app : second).get(EncryptionService));
    const sealed = await Promise.all(services.map((service) => service.seal('secret', { ...place, userId: id })));

    expect(new Set(sealed.map((value) => value.split('.')[1])).size).toBe(1);
    const rows = await app.db.query<{ wrapped_key: string }>(
      'superuser',
      `SELECT wrapped_key FROM data_keys WHERE user_id = $1`,
      [id],
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]?.wrapped_key).toMatch(/^w1\.test\./);
  });

  it('open in another process what the first one sealed', async () => {
    const sealed = await app.get(EncryptionService).seal('секрет', place);

    expect(await second.get(EncryptionService).open(sealed, place)).toBe('секрет');
  });

  it('are redacted in the audit', async () => {
    await app.get(EncryptionService).seal('secret', place);
    const rows = await app.db.query<{ new_values: Record<string, unknown> }>(
      'superuser',
      `SELECT new_values FROM audit_logs WHERE table_name = 'data_keys' AND user_id = $1 AND action = 'INSERT'`,
      [ann.id],
    );

    expect(rows.length).toBeGreaterThan(0);
    expect(rows.every(({ new_values }) => new_values['wrapped_key'] === '[redacted]')).toBe(true);
  });

  it('erase what they sealed when they are destroyed, also in a copy of the row', async () => {
    const service = app.get(EncryptionService);
    const sealed = await service.seal('secret', place);

    expect(await service.erase(ann.id)).toBe(true);

    await expect(service.open(sealed, place)).rejects.toThrow('destroyed');
    expect(await app.db.query('superuser', `SELECT 1 FROM data_keys WHERE user_id = $1`, [ann.id])).toEqual([]);
  });

  it('are forgotten by every process as soon as it hears of their end, and nothing is sealed with them again', async () => {
    const services = [app, second].map((process) => process.get(EncryptionService));
    // Nothing is forgotten for its age meanwhile.
    freezeDate();
    const { id: userId } = await createSignedInCaller(app);
    const hers = { ...place, userId };
    const sealed = await services[1]!.seal('secret', hers);
    for (const service of services) expect(await service.open(sealed, hers)).toBe('secret');

    await services[0]!.erase(userId);
    await waitFor('the other process forgets the key', () =>
      services[1]!.open(sealed, hers).then(
        () => false,
        (error: Error) => error.message.includes('destroyed'),
      ),
    );

    const another = await services[1]!.seal('new', hers);
    expect(await services[0]!.open(another, hers)).toBe('new');
  });

  it('are forgotten within a second also by a process that has lost Redis', async () => {
    const { id: userId } = await createSignedInCaller(app);
    const hers = { ...place, userId };
    const deaf = await startApp({ sharedWith: app });
    const sealed = await deaf.get(EncryptionService).seal('secret', hers);
    const { subscriber } = deaf.get(RedisClients);
    const closed = once(subscriber, 'close');
    subscriber.disconnect();
    await closed;
    const date = freezeDate();
    expect(await deaf.get(EncryptionService).open(sealed, hers)).toBe('secret');

    await app.get(EncryptionService).erase(userId);
    date.advance(KEPT_UNHEARD_MS - 1);
    expect(await deaf.get(EncryptionService).open(sealed, hers)).toBe('secret');
    date.advance(1);

    await expect(deaf.get(EncryptionService).open(sealed, hers)).rejects.toThrow('destroyed');
    await deaf.close();
  });
});
