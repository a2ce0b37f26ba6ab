import { randomBytes } from 'node:crypto';
import { EncryptionError } from '../../src/platform/encryption/ciphertext';
import { KeyFile } from '../../src/platform/encryption/key-file';
import { KeyRefused, KeyServiceUnavailable } from '../../src/platform/encryption/kms/key-service';
import type * as KmsModule from '../../src/platform/encryption/kms/kms-master-keys';
import { createMasterKeys, type KmsMasterKeys } from '../../src/platform/encryption/kms/kms-master-keys';
import type { MasterKeys } from '../../src/platform/encryption/master-keys';
import { createKeyFile } from '../support/encryption';
import { FakeAwsKms } from '../support/fake-aws-kms';
import { FakeVault } from '../support/fake-vault';
import { buildTestConfig } from '../support/test-config';
import { type FrozenDate, freezeDate } from '../support/frozen-date';
import { waitFor } from '../support/wait-for';

const associated = Buffer.from('a row');
const dataKey = randomBytes(32);
const services = { vault: new FakeVault(), aws: new FakeAwsKms() } as const;
const file = createKeyFile(['k1', 'k0']);
const entry = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
const [first, older] = [entry('k1'), entry('k0')];

/** Creates master keys as a new process would. */
function create(settings: NodeJS.ProcessEnv): MasterKeys {
  return createMasterKeys(buildTestConfig(settings));
}

/** The settings of each provider with the keys k1, the current one, and k0. */
const PROVIDERS: Readonly<Record<string, () => NodeJS.ProcessEnv>> = {
  file: () => file.settings,
  environment: () => ({ ENCRYPTION_KEYS: `${first},${older}` }),
  vault: () => buildSettings('vault'),
  aws: () => buildSettings('aws'),
};

/** Copies the keys of the file to the environment, as the operator does. */
function copyFile(): NodeJS.ProcessEnv {
  const { keys } = new KeyFile(file.settings['ENCRYPTION_KEY_FILE']!).read();
  return { ENCRYPTION_KEYS: [...keys].map(([id, key]) => `${id}:${key.toString('base64')}`).join(',') };
}

function buildSettings(name: keyof typeof services): NodeJS.ProcessEnv {
  const fake = services[name];
  return { ...fake.settings, ENCRYPTION_KEYS: [fake.buildEntry('k1', 'one'), fake.buildEntry('k0', 'zero')].join(',') };
}

beforeAll(async () => {
  for (const fake of Object.values(services)) {
    await fake.start();
    fake.createKey('one');
    fake.createKey('zero');
  }
});

afterAll(async () => {
  for (const fake of Object.values(services)) await fake.stop();
  file.remove();
});

describe.each(Object.keys(PROVIDERS))('master keys from %s', (name) => {
  const open = () => create(PROVIDERS[name]!());

  it('unwrap in another process what they wrapped, and show no plain key', async () => {
    const wrapped = await open().wrap(dataKey, associated);

    expect(await open().unwrap(wrapped, associated)).toEqual(dataKey);
    expect(wrapped).toMatch(/^w\d\.k1\.[\w.-]+$/);
    expect(wrapped.length).toBeLessThan(1_000);
    for (const encoding of ['base64', 'base64url', 'hex'] as const)
      expect(wrapped).not.toContain(dataKey.toString(encoding).slice(0, 16));
    expect(await open().wrap(dataKey, associated)).not.toBe(wrapped);
  });

  it('reject what was altered, shortened, moved to another row or to another key', async () => {
    const keys = open();
    const wrapped = await keys.wrap(dataKey, associated);
    const last = wrapped.at(-3) === 'A' ? 'B' : 'A';

    await expect(keys.unwrap(wrapped, Buffer.from('another row'))).rejects.toThrow(EncryptionError);
    for (const spoilt of [
      `${wrapped.slice(0, -3)}${last}${wrapped.slice(-2)}`,
      wrapped.slice(0, -8),
      `${wrapped}=`,
      wrapped.replace('.k1.', '.k0.'),
      wrapped.replace(/^w/, 'v'),
      `${wrapped.split('.').slice(0, 2).join('.')}.`,
      '',
    ])
      await expect(keys.unwrap(spoilt, associated)).rejects.toThrow(EncryptionError);
  });

  it('name a key that is missing', async () => {
    const wrapped = (await open().wrap(dataKey, associated)).replace('.k1.', '.gone.');

    await expect(open().unwrap(wrapped, associated)).rejects.toThrow('there is no master key "gone"');
  });

  it('list the current key first, and create keys only in a file', async () => {
    const keys = open();

    expect([keys.currentId, ...keys.ids]).toEqual(['k1', 'k1', 'k0']);
    expect(keys.makesKeys).toBe(name === 'file');
    if (!keys.makesKeys) await expect(keys.prepare('k2')).rejects.toThrow(EncryptionError);
  });

  it.each(Object.keys(PROVIDERS).filter((other) => other !== 'file'))(
    'are replaced by those from %s',
    async (other) => {
      const wrapped = await open().wrap(dataKey, associated);
      const { ENCRYPTION_KEYS: added = '', ...settings } = PROVIDERS[other]!();
      const { ENCRYPTION_KEYS: own, ...rest } = name === 'file' ? copyFile() : PROVIDERS[name]!();
      // The operator copies the keys of a file to the environment.
      if (!own) return;
      const next = added.split(',')[0]!.replace(/^k1:/, 'new:');
      const both = create({ ...rest, ...settings, ENCRYPTION_KEYS: `${next},${own}` });

      const moved = await both.wrap(await both.unwrap(wrapped, associated), associated);

      expect(moved.split('.')[1]).toBe('new');
      expect(await create({ ...settings, ENCRYPTION_KEYS: next }).unwrap(moved, associated)).toEqual(dataKey);
    },
  );
});

describe.each(['vault', 'aws'] as const)('a key of %s', (name) => {
  const fake = services[name];
  let keys: KmsMasterKeys;
  let wrapped: string;
  /** AWS finds the key in the ciphertext, and rejects the ciphertext instead of the key. */
  const ofAnotherKey = name === 'aws' ? EncryptionError : KeyRefused;

  beforeEach(async () => {
    keys = create(buildSettings(name)) as KmsMasterKeys;
    wrapped = await keys.wrap(dataKey, associated);
  });

  afterEach(() => jest.useRealTimers());

  const unwrap = () => keys.unwrap(wrapped, associated);
  /** Unwraps a second later, when the service is asked again, and until a probe of the outage has ended. */
  const recover = (date: FrozenDate) =>
    waitFor('the key is used again', () => {
      date.advance(1_000);
      return unwrap().catch(() => undefined);
    });

  it('that rotates encrypts with its new version and decrypts those before', async () => {
    fake.rotateKey('one');
    const newer = await keys.wrap(dataKey, associated);
    fake.keys.get('one')!.versions[0] = randomBytes(32);

    await expect(unwrap()).rejects.toThrow(EncryptionError);
    expect(await keys.unwrap(newer, associated)).toEqual(dataKey);
    fake.createKey('one');
  });

  it('is used again after a throttled call', async () => {
    fake.throttled = 1;

    expect(await unwrap()).toEqual(dataKey);
    expect(await keys.check()).toEqual({ status: 'ok' });
  });

  it.each<[string, () => unknown, () => unknown]>([
    ['throttles', () => (fake.throttled = Infinity), () => (fake.throttled = 0)],
    ['cannot use its keys', () => (fake.isFailing = true), () => (fake.isFailing = false)],
    ['does not answer', () => (fake.isSilent = true), () => (fake.isSilent = false)],
    ['is down', () => fake.stop(), () => fake.start()],
  ])('is unavailable while the service %s, and used again afterwards', async (_, begin, end) => {
    keys = create({ ...buildSettings(name), KMS_TIMEOUT_MS: '100' }) as KmsMasterKeys;
    const date = freezeDate();
    await begin();
    const failure = await unwrap().catch((error: unknown) => error);
    const state = await keys.check();
    await end();

    expect(failure).toBeInstanceOf(KeyServiceUnavailable);
    expect(failure).toMatchObject({ status: 503, headers: { 'retry-after': '2' } });
    expect(state.status).toBe('warning');
    expect(state.detail).toMatch(/^master key k1, since \d{4}-\d\d-\d\dT[\d:.]+Z: (Vault|AWS KMS)/);
    expect(await recover(date)).toEqual(dataKey);
    // A probe that began during the outage may fail later.
    await waitFor('the state is ok', async () => (await keys.check()).status === 'ok');
  });

  it('is not asked of an unavailable service for a second', async () => {
    const date = freezeDate();
    fake.throttled = Infinity;
    await expect(unwrap()).rejects.toThrow(KeyServiceUnavailable);
    fake.throttled = 0;
    const { requests } = fake;

    await expect(unwrap()).rejects.toThrow(KeyServiceUnavailable);
    expect(fake.requests).toBe(requests);
    date.advance(1_000);
    expect(await unwrap()).toEqual(dataKey);
  });

  it('is asked of an unavailable service by one of many calls, and the others do not wait', async () => {
    keys = create({ ...buildSettings(name), KMS_TIMEOUT_MS: '100' }) as KmsMasterKeys;
    const date = freezeDate();
    fake.isSilent = true;
    await expect(unwrap()).rejects.toThrow(KeyServiceUnavailable);
    date.advance(1_000);
    const { requests } = fake;
    const results = await Promise.allSettled(Array.from({ length: 8 }, unwrap));
    fake.isSilent = false;

    expect(results.every((result) => result.status === 'rejected')).toBe(true);
    expect(fake.requests - requests).toBeLessThanOrEqual(1);
    expect(await recover(date)).toEqual(dataKey);
  });

  it('shows the reason of an outage to operators only', async () => {
    fake.isFailing = true;
    const failure = await unwrap().catch((error: unknown) => error);
    fake.isFailing = false;

    expect(String(failure)).toBe('AppError: The key management service is not available');
    expect(failure).toMatchObject({ reason: expect.stringMatching(/^(Vault|AWS KMS) is not available: /) });
  });

  it('of a type without authenticated data is refused', async () => {
    fake.createKey('asymmetric', { isSymmetric: false });
    const other = create({ ...buildSettings(name), ENCRYPTION_KEYS: fake.buildEntry('k1', 'asymmetric') });

    await expect(other.wrap(dataKey, associated)).rejects.toThrow(KeyRefused);
    await expect(other.unwrap(wrapped, associated)).rejects.toThrow(ofAnotherKey);
  });

  it.each(['isDisabled', 'isDeleted'] as const)(
    'is unavailable while it %s, and used again afterwards',
    async (fault) => {
      fake.keys.get('one')![fault] = true;
      const failures = [unwrap(), keys.wrap(dataKey, associated)].map((call) => call.catch((error: unknown) => error));
      const [unwrapping, wrapping] = await Promise.all(failures);
      const state = await keys.check();
      fake.keys.get('one')![fault] = false;

      for (const failure of [unwrapping, wrapping]) {
        expect(failure).toBeInstanceOf(KeyRefused);
        expect(failure).toBeInstanceOf(KeyServiceUnavailable);
        expect(failure).toMatchObject({ status: 503, headers: { 'retry-after': '2' } });
        expect(failure).toMatchObject({ reason: expect.stringMatching(/^(Vault|AWS KMS) refuses /) });
        // Users read the message; the reason is for operators.
        expect(String(failure)).toBe('KeyRefused: The key management service is not available');
      }
      expect(state.status).toBe('warning');
      expect(state.detail).toMatch(/^master key k1, since \d{4}-\d\d-\d\dT[\d:.]+Z: (Vault|AWS KMS) refuses /);
      expect(await unwrap()).toEqual(dataKey);
      expect(await keys.check()).toEqual({ status: 'ok' });
    },
  );

  it.each([
    { VAULT_TOKEN: 'another', AWS_KMS_ACCESS_KEY: 'AKIAOFTHETEST', AWS_KMS_SECRET_KEY: 'another' },
    { VAULT_TOKEN: 'another', AWS_KMS_REGION: 'eu-other-1' },
    { ENCRYPTION_KEYS: fake.buildEntry('k1', 'missing') },
  ])('is refused with the settings %j', async (changes) => {
    const other = create({ ...buildSettings(name), ...changes });

    await expect(other.wrap(dataKey, associated)).rejects.toThrow(KeyRefused);
    const isAnotherKey = 'ENCRYPTION_KEYS' in changes;
    await expect(other.unwrap(wrapped, associated)).rejects.toThrow(isAnotherKey ? ofAnotherKey : KeyRefused);
  });

  it('is used by all calls again after a refusal', async () => {
    fake.keys.get('one')!.isDisabled = true;
    await expect(unwrap()).rejects.toThrow(KeyRefused);
    const refusals = await Promise.allSettled([unwrap(), unwrap()]);
    fake.keys.get('one')!.isDisabled = false;

    expect(refusals).toMatchObject([{ reason: expect.any(KeyRefused) }, { reason: expect.any(KeyRefused) }]);
    expect(await Promise.all([unwrap(), unwrap()])).toEqual([dataKey, dataKey]);
  });

  it('is never asked by unsigned requests', async () => {
    const response = await fetch(fake.url, { method: 'POST', body: '{}' });

    expect(response.ok).toBe(false);
  });
});

it('of Vault decrypt no version below the minimum of their key', async () => {
  const [fake, keys] = [services.vault, create(buildSettings('vault'))];
  const wrapped = await keys.wrap(dataKey, associated);
  fake.rotateKey('one');
  fake.keys.get('one')!.minVersion = 2;

  await expect(keys.unwrap(wrapped, associated)).rejects.toThrow('is disallowed by policy (too old)');
  expect(await keys.unwrap(await keys.wrap(dataKey, associated), associated)).toEqual(dataKey);
  fake.createKey('one');
});

it('of AWS name the package that is missing', async () => {
  jest.doMock('@aws-sdk/client-kms', () => {
    throw new Error('Cannot find module');
  });
  await jest.isolateModulesAsync(async () => {
    const isolated = jest.requireActual<typeof KmsModule>('../../src/platform/encryption/kms/kms-master-keys');
    const keys = isolated.createMasterKeys(buildTestConfig(buildSettings('aws')));

    await expect(keys.wrap(dataKey, associated)).rejects.toMatchObject({
      reason: expect.stringContaining('run npm install @aws-sdk/client-kms'),
    });
  });
  jest.dontMock('@aws-sdk/client-kms');
});
