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

/**
 * The transit secrets engine of Vault: encrypt and decrypt with associated data and key versions. Its policy allows
 * `update` of the paths of existing keys; a disabled key is one without a policy.
 * @see https://developer.hashicorp.com/vault/api-docs/secret/transit
 */
export class FakeVault extends FakeKeyService {
  protected readonly throttledResponse = failure(429, 'request path "transit/encrypt": rate limit quota exceeded');

  override get settings(): Record<string, string> {
    return { ...super.settings, VAULT_ADDR: this.url, VAULT_TOKEN: TOKEN };
  }

  buildEntry(id: string, key: string): string {
    return `${id}:vault:${key}`;
  }

  protected answer({ method, headers }: IncomingMessage, url: URL, body: Buffer): FakeResponse {
    const [, operation, name = ''] = /^\/v1\/transit\/(encrypt|decrypt)\/([\w.-]+)$/.exec(url.pathname) ?? [];
    if (headers['x-vault-token'] !== TOKEN) return DENIED;
    if (operation === undefined) return failure(404, `no handler for route "${url.pathname.slice(4)}"`);
    if (method !== 'POST' && method !== 'PUT') return failure(405, 'unsupported operation');
    const fields = parseObject(body);
    if (!fields) return failure(400, 'failed to parse JSON input');
    const associated = parseBase64(fields['associated_data'] ?? '');
    if (!associated) return failure(400, 'failed to base64-decode associated_data');
    const key = this.keys.get(name);
    if (key?.isDisabled) return DENIED;
    if (operation === 'decrypt') return decrypt(key, fields, associated);
    return this.encrypt(key, fields, associated);
  }

  /** Creating a key by encrypting needs the capability `create`, which the policy does not give. */
  private encrypt(key: FakeKey | undefined, fields: Record<string, unknown>, associated: Buffer): FakeResponse {
    if (!key) return DENIED;
    const plain = parseBase64(fields['plaintext']);
    if (!plain) return failure(400, 'failed to base64-decode plaintext');
    this.seen.add(plain.toString('base64'));
    const version = key.versions.length;
    const bytes = encryptWith(key.versions.at(-1)!, plain, associated);
    return success({ ciphertext: `vault:v${version}:${bytes.toString('base64')}`, key_version: version });
  }
}

function decrypt(key: FakeKey | undefined, fields: Record<string, unknown>, associated: Buffer): FakeResponse {
  if (!key) return failure(400, 'encryption key not found');
  const [, version, text] = /^vault:v([1-9]\d*):(.+)$/.exec(String(fields['ciphertext'])) ?? [];
  if (version === undefined) return failure(400, 'invalid ciphertext: no prefix');
  const material = key.versions[Number(version) - 1];
  if (!material) return failure(400, 'invalid ciphertext: version is too new');
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
