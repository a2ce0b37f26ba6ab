import type { IncomingMessage } from 'node:http';
import {
  decryptWith,
  encryptWith,
  type FakeKey,
  FakeKeyService,
  type FakeResponse,
  parseBase64,
  parseObject,
} from './fake-key-service';

const TOKEN = 'hvs.a-token-of-the-test';

/** The engine is mounted in a namespace at a path of two parts. */
const NAMESPACE = 'tests';
const MOUNT = 'gigvault/transit';

const ROUTE = /^\/v1\/gigvault\/transit\/(encrypt|decrypt)\/(\w(?:[\w.-]*\w)?)$/;

/**
 * The transit secrets engine of Vault: encrypt and decrypt with associated data and key versions. Its policy allows
 * `update` of the paths of existing keys; a disabled key is one without a policy. The texts of errors are those of
 * Vault's and OpenBao's source (builtin/logical/transit, sdk/helper/keysutil/policy.go).
 * @see https://developer.hashicorp.com/vault/api-docs/secret/transit
 */
export class FakeVault extends FakeKeyService {
  protected readonly throttledResponse = failure(429, 'request path "transit/encrypt": rate limit quota exceeded');
  protected readonly failingResponse = failure(503, 'Vault is sealed');

  override get settings(): Record<string, string> {
    const place = { VAULT_NAMESPACE: NAMESPACE, VAULT_TRANSIT_MOUNT: MOUNT };
    return { ...super.settings, VAULT_ADDR: this.url, VAULT_TOKEN: TOKEN, ...place };
  }

  listCredentials(): string[] {
    return [TOKEN];
  }

  buildEntry(id: string, key: string): string {
    return `${id}:vault:${key}`;
  }

  protected answer({ method, headers }: IncomingMessage, url: URL, body: Buffer): FakeResponse {
    const [, operation, name = ''] = ROUTE.exec(url.pathname) ?? [];
    // A token is unknown outside its namespace.
    if (headers['x-vault-token'] !== TOKEN || headers['x-vault-namespace'] !== NAMESPACE) return DENIED;
    if (operation === undefined) return failure(404, `no handler for route "${url.pathname.slice(4)}"`);
    if (method !== 'POST' && method !== 'PUT') return failure(405, 'unsupported operation');
    const fields = parseObject(body);
    if (!fields) return failure(400, 'failed to parse JSON input');
    const associated = parseBase64(fields['associated_data'] ?? '');
    if (!associated) return failure(400, 'failed to base64-decode associated_data');
    const found = this.keys.get(name);
    const key = found?.isDeleted ? undefined : found;
    if (key?.isDisabled) return DENIED;
    if (key && !key.isSymmetric && associated.length > 0)
      return failure(400, "'[0].associated_data' provided for non-AEAD cipher suite rsa-4096");
    if (operation === 'decrypt') return decrypt(key, fields, associated);
    return this.encrypt(key, fields, associated);
  }

  /** Creating a key by encrypting needs the capability `create`, which the policy does not give. */
  private encrypt(key: FakeKey | undefined, fields: Record<string, unknown>, associated: Buffer): FakeResponse {
    if (!key) return DENIED;
    if (fields['plaintext'] === undefined) return failure(400, 'missing plaintext to encrypt');
    const plain = parseBase64(fields['plaintext']);
    if (!plain) return failure(400, 'illegal base64 data at input byte 0');
    this.seen.add(plain.toString('base64'));
    const version = key.versions.length;
    const bytes = encryptWith(key.versions.at(-1)!, plain, associated);
    return success({ ciphertext: `vault:v${version}:${bytes.toString('base64')}`, key_version: version });
  }
}

function decrypt(key: FakeKey | undefined, fields: Record<string, unknown>, associated: Buffer): FakeResponse {
  const { ciphertext = '' } = fields;
  if (ciphertext === '') return failure(400, 'missing ciphertext to decrypt');
  if (!key) return failure(400, 'encryption key not found');
  const [, prefix, number, text] = /^(vault:v)?([^:]*)(?::(.*))?$/s.exec(String(ciphertext)) ?? [];
  if (prefix === undefined) return failure(400, 'invalid ciphertext: no prefix');
  if (text === undefined) return failure(400, 'invalid ciphertext: wrong number of fields');
  if (!/^\d+$/.test(number ?? '')) return failure(400, 'invalid ciphertext: version number could not be decoded');
  const version = Number(number) || 1;
  const material = key.versions[version - 1];
  if (!material) return failure(400, 'invalid ciphertext: version is too new');
  if (version < key.minVersion)
    return failure(400, 'ciphertext or signature version is disallowed by policy (too old)');
  const bytes = parseBase64(text);
  if (!bytes) return failure(400, 'invalid ciphertext: could not decode base64');
  const plain = decryptWith(material, bytes, associated);
  if (!plain) return failure(400, 'cipher: message authentication failed');
  return success({ plaintext: plain.toString('base64') });
}

function success(data: object): FakeResponse {
  return { status: 200, body: { request_id: 'a-request', lease_id: '', renewable: false, lease_duration: 0, data } };
}

function failure(status: number, text: string): FakeResponse {
  return { status, body: { errors: [text] } };
}

const DENIED = failure(403, '1 error occurred:\n\t* permission denied\n\n');
