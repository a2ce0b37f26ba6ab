import { AppError } from '../../errors/app-error';

/** A key management service. It encrypts and decrypts data keys; its own keys never leave it. */
export interface KeyService {
  /** Encrypts a data key, bound to `associated`, with the newest version of the named key. */
  encrypt(key: string, plain: Buffer, associated: Buffer): Promise<string>;

  /** Decrypts the result of `encrypt`, of any version of the key. */
  decrypt(key: string, ciphertext: string, associated: Buffer): Promise<Buffer>;
}

/** Attempts of a call that is throttled or loses its connection. */
export const MAX_ATTEMPTS = 3;

/** The key management service is down, slow or throttles. Callers receive 503 and may try again. */
export class KeyServiceUnavailable extends AppError {
  /** @param reason for logs, readiness and operators; users read the message only */
  constructor(
    readonly reason: string,
    cause?: unknown,
  ) {
    super('service.unavailable', { headers: { 'retry-after': '2' }, cause: new Error(reason, { cause }) });
    this.message = 'The key management service is not available';
  }
}

/**
 * The key management service refuses a key: it is disabled, missing, or the login lacks the permission. An operator can
 * enable it again, so callers receive 503.
 */
export class KeyRefused extends KeyServiceUnavailable {
  constructor(reason: string, cause?: unknown) {
    super(reason, cause);
    this.name = KeyRefused.name;
  }
}
