import type { KMSClient } from '@aws-sdk/client-kms';
import type { Config } from '../../config/config';
import { EncryptionError } from '../ciphertext';
import { KeyRefused, type KeyService, KeyServiceUnavailable, MAX_ATTEMPTS } from './key-service';

type Sdk = typeof import('@aws-sdk/client-kms');

/** Errors after which the same call may succeed, besides those without a response and with a status of 500 or more. */
const TEMPORARY = /Throttl|TooManyRequests|RequestLimitExceeded|KeyUnavailable|DependencyTimeout|KMSInternal/;

/** Errors of a ciphertext that was altered, moved, or encrypted with another key. */
const UNREADABLE = ['InvalidCiphertextException', 'IncorrectKeyException'];

/**
 * AWS KMS with a symmetric key. The SDK is an optional package: it is imported at the first call.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html
 */
export class AwsKms implements KeyService {
  private loaded: Promise<{ readonly sdk: Sdk; readonly client: KMSClient }> | undefined;

  constructor(private readonly access: NonNullable<Config['encryption']['awsKms']>) {}

  async encrypt(key: string, plain: Buffer, associated: Buffer): Promise<string> {
    const { sdk, client } = await this.load();
    const input = { KeyId: key, Plaintext: plain, EncryptionContext: buildContext(associated) };
    const { CiphertextBlob } = await this.call(key, (abortSignal) =>
      client.send(new sdk.EncryptCommand(input), { abortSignal }),
    );
    return Buffer.from(CiphertextBlob!).toString('base64');
  }

  async decrypt(key: string, ciphertext: string, associated: Buffer): Promise<Buffer> {
    const { sdk, client } = await this.load();
    const blob = Buffer.from(ciphertext, 'base64');
    // Node ignores characters outside the alphabet; only the canonical text is accepted.
    if (blob.toString('base64') !== ciphertext) throw new EncryptionError('not a ciphertext of AWS KMS');
    const input = { KeyId: key, CiphertextBlob: blob, EncryptionContext: buildContext(associated) };
    const { Plaintext } = await this.call(key, (abortSignal) =>
      client.send(new sdk.DecryptCommand(input), { abortSignal }),
    );
    return Buffer.from(Plaintext!);
  }

  /** Runs a call within its time limit, and maps its errors. */
  private async call<T>(key: string, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await send(AbortSignal.timeout(this.access.timeoutMs));
    } catch (error) {
      throw toError(key, error);
    }
  }

  private load() {
    return (this.loaded ??= importSdk().then((sdk) => ({ sdk, client: this.createClient(sdk) })));
  }

  private createClient(sdk: Sdk): KMSClient {
    const { region, endpoint, credentials } = this.access;
    return new sdk.KMSClient({
      region,
      maxAttempts: MAX_ATTEMPTS,
      ...(endpoint !== undefined && { endpoint }),
      ...(credentials && { credentials }),
    });
  }
}

async function importSdk(): Promise<Sdk> {
  try {
    return await import('@aws-sdk/client-kms');
  } catch (cause) {
    throw new KeyRefused('ENCRYPTION_KEYS names a key of AWS KMS: run npm install @aws-sdk/client-kms', cause);
  }
}

/** The context is authenticated and appears in CloudTrail: it contains ids, never a secret. */
function buildContext(associated: Buffer): Record<string, string> {
  return { gigvault: associated.toString('utf8') };
}

function toError(key: string, error: unknown): Error {
  const { name, code, $metadata } = error as Error & { code?: string; $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode ?? 0;
  const reason = name === 'AbortError' ? 'no answer in time' : (code ?? name);
  if (status < 400 || status >= 500 || TEMPORARY.test(name))
    return new KeyServiceUnavailable(`AWS KMS is not available: ${reason}`, error);
  if (UNREADABLE.includes(name))
    return new EncryptionError(`a wrapped data key cannot be unwrapped: AWS KMS: ${name}`, { cause: error });
  return new KeyRefused(`AWS KMS refuses the key ${key}: ${name}`, error);
}
