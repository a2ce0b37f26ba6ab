import { randomBytes } from 'node:crypto';
import type { Config } from '../config/config';
import { EncryptionError } from './encryption-error';
import { EncryptionService } from './encryption.service';
import type { SealContext } from './seal-context';

const place: SealContext = { table: 'user_mfa', column: 'encrypted_totp_secret', userId: 7, sealKey: 'a-uuid' };
const oldKey = { id: 'k1', key: randomBytes(32) };
const newKey = { id: 'k2', key: randomBytes(32) };

function serviceWith(...keys: { id: string; key: Buffer }[]): EncryptionService {
  return new EncryptionService({ encryption: { keys } } as unknown as Config);
}

describe(EncryptionService.name, () => {
  const service = serviceWith(newKey, oldKey);

  it('opens what it sealed, in the same place', async () => {
    const sealed = await service.seal('JBSWY3DP секрет', place);

    expect(sealed).toMatch(/^v1\.k2\.[\w-]{16}\.[\w-]+$/);
    expect(sealed).not.toContain('JBSWY3DP');
    expect(await service.open(sealed, place)).toBe('JBSWY3DP секрет');
  });

  it('seals the same text differently each time', async () => {
    expect(await service.seal('same', place)).not.toBe(await service.seal('same', place));
  });

  it.each<Partial<SealContext>>([
    { table: 'user_tokens' },
    { column: 'backup_codes_hash' },
    { userId: 8 },
    { userId: null },
    { sealKey: 'another-uuid' },
  ])('refuses a value moved to %j', async (moved) => {
    const sealed = await service.seal('secret', place);

    await expect(service.open(sealed, { ...place, ...moved })).rejects.toThrow(EncryptionError);
  });

  it('refuses a value with any one byte changed', async () => {
    const sealed = await service.seal('secret', place);
    const [version, id, nonce, body] = sealed.split('.');
    const bytes = Buffer.from(body!, 'base64url');

    for (let i = 0; i < bytes.length; i++) {
      const altered = Buffer.from(bytes);
      altered[i]! ^= 1;
      const value = [version, id, nonce, altered.toString('base64url')].join('.');
      await expect(service.open(value, place)).rejects.toThrow(EncryptionError);
    }
  });

  it('refuses a shortened tag, another version and what is no sealed value', async () => {
    const sealed = await service.seal('', place);
    const [, id, nonce, body] = sealed.split('.');
    const short = Buffer.from(body!, 'base64url').subarray(0, 4).toString('base64url');

    for (const value of [`v1.${id}.${nonce}.${short}`, sealed.replace('v1', 'v2'), `${sealed}.x`, '', 'plain text']) {
      await expect(service.open(value, place)).rejects.toThrow(EncryptionError);
    }
  });

  it('opens values of an older key and names a key that is missing', async () => {
    const sealed = await serviceWith(oldKey).seal('secret', place);

    expect(await service.open(sealed, place)).toBe('secret');
    await expect(serviceWith(newKey).open(sealed, place)).rejects.toThrow('k1');
  });
});
