import { createMasterKey, InMemoryDataKeys, createEncryption } from '../../../test/support/encryption';
import { type EncryptionContext, EncryptionError } from './ciphertext';
import { EncryptionService } from './encryption.service';

const context: EncryptionContext = { table: 'user_mfa', column: 'encrypted_totp_secret', userId: 7, sealKey: 'a-uuid' };
const master = createMasterKey('k1');

describe(EncryptionService.name, () => {
  const store = new InMemoryDataKeys();
  const service = createEncryption(store, master);

  it('decrypts a value in the same context', async () => {
    const sealed = await service.seal('JBSWY3DP секрет', context);

    expect(sealed).toMatch(/^v1\.[0-9a-f-]{36}\.[\w-]{16}\.[\w-]+$/);
    expect(sealed).not.toContain('JBSWY3DP');
    expect(await service.open(sealed, context)).toBe('JBSWY3DP секрет');
  });

  it('encrypts the same text differently each time, with one key per user', async () => {
    const [first, again, other] = await Promise.all([
      service.seal('same', context),
      service.seal('same', context),
      service.seal('same', { ...context, userId: 8 }),
    ]);

    expect(again).not.toBe(first);
    expect(again.split('.')[1]).toBe(first.split('.')[1]);
    expect(other.split('.')[1]).not.toBe(first.split('.')[1]);
  });

  it.each<Partial<EncryptionContext>>([
    { table: 'user_tokens' },
    { column: 'backup_codes_hash' },
    { userId: 8 },
    { userId: null },
    { sealKey: 'another-uuid' },
  ])('rejects a value moved to %j', async (moved) => {
    const sealed = await service.seal('secret', context);

    await expect(service.open(sealed, { ...context, ...moved })).rejects.toThrow(EncryptionError);
  });

  it('rejects a shortened tag, another version and other texts', async () => {
    const sealed = await service.seal('', context);
    const [, id, nonce, body] = sealed.split('.');
    const short = Buffer.from(body!, 'base64url').subarray(0, 4).toString('base64url');

    for (const value of [
      `v1.${id}.${nonce}.${short}`,
      sealed.replace('v1', 'v2'),
      `${sealed}.x`,
      `${sealed}=`,
      '',
      'plain',
    ]) {
      await expect(service.open(value, context)).rejects.toThrow(EncryptionError);
    }
  });

  it('uses data keys wrapped by an older master key, and names a missing one', async () => {
    const sealed = await service.seal('secret', context);

    expect(await createEncryption(store, createMasterKey('k2'), master).open(sealed, context)).toBe('secret');
    await expect(createEncryption(store, createMasterKey('k2')).open(sealed, context)).rejects.toThrow('k1');
  });

  it('rejects a data key moved to another user', async () => {
    const sealed = await service.seal('secret', context);
    const row = (await store.ofUser(7))!;
    const moved = new InMemoryDataKeys();
    moved.rows.set(9, { ...row, userId: 9 });

    await expect(createEncryption(moved, master).open(sealed, { ...context, userId: 9 })).rejects.toThrow(
      EncryptionError,
    );
  });

  it('decrypts nothing of an erased user, and encrypts with a new key afterwards', async () => {
    const sealed = await service.seal('secret', context);

    expect(await service.erase(7)).toBe(true);

    await expect(service.open(sealed, context)).rejects.toThrow('destroyed');
    expect(await service.open(await service.seal('new', context), context)).toBe('new');
    expect(await service.erase(77)).toBe(false);
  });
});
