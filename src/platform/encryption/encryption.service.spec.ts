import { createMasterKey, InMemoryDataKeys, createEncryption } from '../../../test/support/encryption';
import { type EncryptionContext, EncryptionError } from './ciphertext';
import { EncryptionService } from './encryption.service';

const place: EncryptionContext = { table: 'user_mfa', column: 'encrypted_totp_secret', userId: 7, sealKey: 'a-uuid' };
const master = createMasterKey('k1');

describe(EncryptionService.name, () => {
  const store = new InMemoryDataKeys();
  const service = createEncryption(store, master);

  it('opens what it sealed, in the same place', async () => {
    const sealed = await service.seal('JBSWY3DP секрет', place);

    expect(sealed).toMatch(/^v1\.[0-9a-f-]{36}\.[\w-]{16}\.[\w-]+$/);
    expect(sealed).not.toContain('JBSWY3DP');
    expect(await service.open(sealed, place)).toBe('JBSWY3DP секрет');
  });

  it('seals the same text differently each time, and each user with a key of his own', async () => {
    const [first, again, other] = await Promise.all([
      service.seal('same', place),
      service.seal('same', place),
      service.seal('same', { ...place, userId: 8 }),
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
  ])('refuses a value moved to %j', async (moved) => {
    const sealed = await service.seal('secret', place);

    await expect(service.open(sealed, { ...place, ...moved })).rejects.toThrow(EncryptionError);
  });

  it('refuses a shortened tag, another version and what is no sealed value', async () => {
    const sealed = await service.seal('', place);
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
      await expect(service.open(value, place)).rejects.toThrow(EncryptionError);
    }
  });

  it('opens what an older master key wraps, and names a master key that is missing', async () => {
    const sealed = await service.seal('secret', place);

    expect(await createEncryption(store, createMasterKey('k2'), master).open(sealed, place)).toBe('secret');
    await expect(createEncryption(store, createMasterKey('k2')).open(sealed, place)).rejects.toThrow('k1');
  });

  it('refuses a data key given to another user', async () => {
    const sealed = await service.seal('secret', place);
    const row = (await store.ofUser(7))!;
    const moved = new InMemoryDataKeys();
    moved.rows.set(9, { ...row, userId: 9 });

    await expect(createEncryption(moved, master).open(sealed, { ...place, userId: 9 })).rejects.toThrow(
      EncryptionError,
    );
  });

  it('opens nothing of an erased user, and seals anew for him', async () => {
    const sealed = await service.seal('secret', place);

    expect(await service.erase(7)).toBe(true);

    await expect(service.open(sealed, place)).rejects.toThrow('destroyed');
    expect(await service.open(await service.seal('new', place), place)).toBe('new');
    expect(await service.erase(77)).toBe(false);
  });
});
