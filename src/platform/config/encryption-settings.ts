import { z } from 'zod';
import { integer, isBase64Key, secret, url } from './setting-groups';

/** One master key of the encryption at rest. */
export interface EncryptionKey {
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

/** A master key in a key management service. */
export interface RemoteKey {
  readonly id: string;
  readonly service: 'vault' | 'aws';
  /** Name of the transit key, or id or ARN of the KMS key. */
  readonly name: string;
}

const KEY_ID = /^[A-Za-z0-9_-]{1,32}$/;
const REMOTE_KEY = /^(?<id>[A-Za-z0-9_-]{1,32}):(?<service>vault|aws):(?<name>[\w.:/-]{1,256})$/;

function text(description: string, example: string) {
  return z.string().optional().describe(description).meta({ example });
}

/** The settings of the master keys. */
export const encryptionSettings = {
  ENCRYPTION_KEYS: z
    .string()
    .transform((value) => value.split(',').map((entry) => entry.trim()))
    .refine(
      (entries) => entries.every((entry) => isLocalKey(entry) || REMOTE_KEY.test(entry)),
      'must be id:base64 of exactly 32 bytes, id:vault:name or id:aws:key, several separated by commas',
    )
    .refine(
      (entries) => new Set(entries.map((entry) => entry.split(':')[0])).size === entries.length,
      'must not repeat an id',
    )
    .optional()
    .describe(
      'Master keys of the encryption at rest as id:base64[,id:base64…]; the first wraps, all unwrap. ' +
        'id:vault:name is a transit key of Vault or OpenBao, id:aws:key a key of AWS KMS by id or ARN. ' +
        'Either this or ENCRYPTION_KEY_FILE. Create one of 32 bytes with: echo k1:$(openssl rand -base64 32)',
    )
    .meta({ example: '' }),
  ENCRYPTION_KEY_FILE: text(
    'File of the master keys, the same for all processes; a rotation adds its key to it. Mode 0600, or 0640 for a ' +
      'group that only API and worker have: every member of the group can read the keys.',
    '/var/lib/gigvault/encryption-keys.json',
  ),
  KMS_CACHE_SECONDS: integer(900, 60, 86_400)
    .describe(
      'Seconds for which data keys in memory are used while the key management service is down or refuses the key.',
    )
    .meta({ example: '900' }),
  KMS_TIMEOUT_MS: integer(2_000, 100, 60_000)
    .describe('Time limit of a call of the key management service, in milliseconds.')
    .meta({ example: '2000' }),
  VAULT_ADDR: url('http', 'https')
    .optional()
    .describe('Address of Vault or OpenBao, for keys id:vault:name; https in production, except on this machine.')
    .meta({ example: 'https://vault.example.com:8200' }),
  VAULT_TOKEN: secret("Token of Vault with the right to update the key's encrypt and decrypt paths."),
  VAULT_TOKEN_FILE: text(
    'File of this token, read before each call, for a token that an agent renews.',
    '/run/vault/token',
  ),
  VAULT_NAMESPACE: text('Namespace in Vault.', 'gigvault'),
  VAULT_TRANSIT_MOUNT: z
    .string()
    .regex(/^[\w-]+(?:\/[\w-]+)*$/, 'must be a path without slashes at its ends')
    .default('transit')
    .describe('Path of the transit secrets engine.')
    .meta({ example: 'transit' }),
  AWS_KMS_REGION: text('Region of AWS KMS, for keys id:aws:key.', 'eu-central-1'),
  AWS_KMS_ENDPOINT: url('http', 'https')
    .optional()
    .describe('Endpoint URL of AWS KMS; the public one of the region when unset.')
    .meta({ example: 'https://kms.eu-central-1.amazonaws.com' }),
  AWS_KMS_ACCESS_KEY: secret(
    'Access key with the rights kms:Encrypt and kms:Decrypt; the default credentials of the AWS SDK when unset.',
  ),
  AWS_KMS_SECRET_KEY: secret('Secret key of this access key.'),
};

type EncryptionSettings = z.output<z.ZodObject<typeof encryptionSettings>>;

/** Builds the configuration of encryption from validated settings, also for commands that need only this part. */
export function buildEncryption(settings: EncryptionSettings) {
  const { ENCRYPTION_KEYS: entries = [], ENCRYPTION_KEY_FILE: keyFile, AWS_KMS_REGION: region } = settings;
  const {
    KMS_TIMEOUT_MS: timeoutMs,
    VAULT_ADDR: address,
    AWS_KMS_ACCESS_KEY: accessKeyId,
    AWS_KMS_SECRET_KEY: secretAccessKey,
  } = settings;
  return Object.freeze({
    /** Ids of all keys of the settings; the first wraps. */
    ids: Object.freeze(entries.map((entry) => entry.split(':')[0]!)),
    keys: Object.freeze(entries.filter(isLocalKey).map(toEncryptionKey)),
    remoteKeys: Object.freeze(entries.flatMap(toRemoteKey)),
    keyFile,
    cacheMs: settings.KMS_CACHE_SECONDS * 1_000,
    /** Address and login of Vault or OpenBao; `timeoutMs` limits a call with its retries. */
    vault: address
      ? Object.freeze({
          address: address.replace(/\/$/, ''),
          token: settings.VAULT_TOKEN,
          /** Used without `token`. */
          tokenFile: settings.VAULT_TOKEN_FILE,
          namespace: settings.VAULT_NAMESPACE,
          mount: settings.VAULT_TRANSIT_MOUNT,
          timeoutMs,
        })
      : undefined,
    /** Region and login of AWS KMS; without credentials the SDK finds them. */
    awsKms: region
      ? Object.freeze({
          region,
          endpoint: settings.AWS_KMS_ENDPOINT,
          credentials: accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined,
          timeoutMs,
        })
      : undefined,
  });
}

/** Finds contradictions between the settings of encryption. */
export function findEncryptionContradictions(settings: EncryptionSettings, isProduction: boolean): string[] {
  const { remoteKeys, vault, awsKms } = buildEncryption(settings);
  const uses = (service: RemoteKey['service']) => remoteKeys.some((key) => key.service === service);
  const plain = (['VAULT_ADDR', 'AWS_KMS_ENDPOINT'] as const).filter((name) => isPlain(settings[name]));
  const tokens = [settings.VAULT_TOKEN, settings.VAULT_TOKEN_FILE].filter(Boolean).length;
  return [
    ...(!settings.ENCRYPTION_KEYS === !settings.ENCRYPTION_KEY_FILE
      ? ['ENCRYPTION_KEYS, ENCRYPTION_KEY_FILE: set exactly one of them']
      : []),
    ...(uses('vault') && !vault ? ['VAULT_ADDR: is missing; a key of ENCRYPTION_KEYS needs it'] : []),
    ...(vault && tokens !== 1 ? ['VAULT_TOKEN, VAULT_TOKEN_FILE: set exactly one of them with VAULT_ADDR'] : []),
    ...(uses('aws') && !awsKms ? ['AWS_KMS_REGION: is missing; a key of ENCRYPTION_KEYS needs it'] : []),
    ...(Boolean(settings.AWS_KMS_ACCESS_KEY) !== Boolean(settings.AWS_KMS_SECRET_KEY)
      ? ['AWS_KMS_ACCESS_KEY, AWS_KMS_SECRET_KEY: set both or neither']
      : []),
    ...(isProduction ? plain.map((name) => `${name}: must begin with https:// in production`) : []),
  ];
}

const THIS_MACHINE = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** Returns whether data keys would cross the network without TLS. */
function isPlain(address: string | undefined): boolean {
  if (!address) return false;
  const { protocol, hostname } = new URL(address);
  return protocol === 'http:' && !THIS_MACHINE.has(hostname);
}

function isLocalKey(entry: string): boolean {
  const [id = '', key = '', ...rest] = entry.split(':');
  return KEY_ID.test(id) && rest.length === 0 && isBase64Key(key, 32, 32);
}

function toEncryptionKey(entry: string): EncryptionKey {
  const [id = '', key = ''] = entry.split(':');
  return Object.freeze({ id, key: Buffer.from(key, 'base64') });
}

function toRemoteKey(entry: string): RemoteKey[] {
  const { id, service, name } = REMOTE_KEY.exec(entry)?.groups ?? {};
  return id && name && (service === 'vault' || service === 'aws') ? [Object.freeze({ id, service, name })] : [];
}
