import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Config } from '../../config/config';
import { EncryptionError } from '../ciphertext';
import { KeyRefused, type KeyService, KeyServiceUnavailable, MAX_ATTEMPTS } from './key-service';

const FIRST_RETRY_MS = 50;

const ERRORS = z.object({ errors: z.array(z.string()) });
const ENCRYPTED = z.object({ data: z.object({ ciphertext: z.string().startsWith('vault:v') }) });
const DECRYPTED = z.object({ data: z.object({ plaintext: z.base64() }) });

/**
 * The transit secrets engine of HashiCorp Vault or OpenBao. Its keys need a type with associated data, such as
 * aes256-gcm96.
 * @see https://developer.hashicorp.com/vault/api-docs/secret/transit
 */
export class VaultTransit implements KeyService {
  constructor(private readonly access: NonNullable<Config['encryption']['vault']>) {}

  async encrypt(key: string, plain: Buffer, associated: Buffer): Promise<string> {
    const body = { plaintext: plain.toString('base64'), associated_data: associated.toString('base64') };
    return (await this.call('encrypt', key, body, ENCRYPTED)).data.ciphertext;
  }

  async decrypt(key: string, ciphertext: string, associated: Buffer): Promise<Buffer> {
    const body = { ciphertext, associated_data: associated.toString('base64') };
    return Buffer.from((await this.call('decrypt', key, body, DECRYPTED)).data.plaintext, 'base64');
  }

  /** Posts one operation, again after a lost connection or a throttled call while the time limit allows it. */
  private async call<T>(operation: string, key: string, body: object, answer: z.ZodType<T>): Promise<T> {
    const signal = AbortSignal.timeout(this.access.timeoutMs);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.post(`${operation}/${encodeURIComponent(key)}`, body, answer, signal);
      } catch (error) {
        if (!(error instanceof KeyServiceUnavailable) || attempt === MAX_ATTEMPTS || signal.aborted) throw error;
        await sleep(FIRST_RETRY_MS * 2 ** attempt * Math.random());
      }
    }
  }

  private async post<T>(path: string, body: object, answer: z.ZodType<T>, signal: AbortSignal): Promise<T> {
    const { address, mount } = this.access;
    const init = { method: 'POST', headers: this.buildHeaders(), body: JSON.stringify(body), signal };
    let status: number;
    let json: unknown;
    try {
      // A redirect would send the token to another server.
      const response = await fetch(`${address}/v1/${mount}/${path}`, { ...init, redirect: 'error' });
      status = response.status;
      json = await response.json();
    } catch (error) {
      throw new KeyServiceUnavailable(`Vault does not answer: ${describe(error)}`, error);
    }
    const result = answer.safeParse(json);
    if (status !== 200 || !result.success) throw toError(status, path, json);
    return result.data;
  }

  private buildHeaders(): Record<string, string> {
    const { namespace } = this.access;
    return {
      'content-type': 'application/json',
      'x-vault-request': 'true',
      'x-vault-token': this.readToken(),
      ...(namespace !== undefined && { 'x-vault-namespace': namespace }),
    };
  }

  /** Returns the token; an agent may renew its file. */
  private readToken(): string {
    const { token, tokenFile = '' } = this.access;
    try {
      return token ?? readFileSync(tokenFile, 'utf8').trim();
    } catch (error) {
      throw new KeyServiceUnavailable(`VAULT_TOKEN_FILE cannot be read: ${(error as Error).message}`, error);
    }
  }
}

/** Describes a failed request without its URL or headers. */
function describe(error: unknown): string {
  const { name, cause } = error as Error;
  if (name === 'TimeoutError') return 'no answer in time';
  return (cause as { code?: string } | undefined)?.code ?? name;
}

/** Maps an error response. Vault answers 400 for a ciphertext it cannot decrypt, an unknown key and an unfit type. */
function toError(status: number, path: string, json: unknown): Error {
  const text = (ERRORS.safeParse(json).data?.errors ?? []).join('; ').replace(/\s+/g, ' ').trim() || `status ${status}`;
  const isOfKey = path.startsWith('encrypt/') || text.includes('encryption key not found') || text.includes('non-AEAD');
  if (status === 403 || status === 404 || (status === 400 && isOfKey))
    return new KeyRefused(`Vault refuses ${path}: ${text}`);
  if (status === 400) return new EncryptionError(`a wrapped data key cannot be unwrapped: Vault: ${text}`);
  return new KeyServiceUnavailable(`Vault is not available: ${text}`);
}
