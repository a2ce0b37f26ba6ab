import { EncryptionError } from '../ciphertext';
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
  constructor(reason: string, cause?: unknown) {
    super('service.unavailable', { headers: { 'retry-after': '2' }, cause });
    // Logs and task runs show the reason; the caller reads `detail`.
    this.message = reason;
  }
}

/** The key management service refuses a key: it is disabled, missing, or the login lacks the permission. */
export class KeyRefused extends EncryptionError {
  constructor(reason: string, cause?: unknown) {
    super(reason, { cause });
    this.name = KeyRefused.name;
  }
}

/** Pause after a failure, in which calls fail at once instead of waiting for their time limit. */
const RETRY_PAUSE_MS = 1_000;

/** Time without a call after which the state of a key is not known any more. */
const STATE_AGE_MS = 30_000;

/** The fault of a key: why it cannot be used, and since when. */
export interface KeyFault {
  readonly reason: string;
  readonly since: Date;
}

/** Runs the calls for one key, remembers its fault, and spares an unavailable service further calls for a moment. */
export class KeyMonitor {
  private failure: KeyFault | undefined;
  private calledAt = 0;
  private retryAt = 0;

  /** The current fault; undefined after a successful call. */
  get fault(): KeyFault | undefined {
    return this.failure;
  }

  /** True when the last call was long ago or failed. */
  get isOutdated(): boolean {
    return this.failure !== undefined || Date.now() - this.calledAt > STATE_AGE_MS;
  }

  /** Runs a call. @throws KeyServiceUnavailable also during the pause after a failure */
  async run<T>(call: () => Promise<T>): Promise<T> {
    if (this.failure && Date.now() < this.retryAt) throw new KeyServiceUnavailable(this.failure.reason);
    try {
      const result = await call();
      this.record(undefined, 0);
      return result;
    } catch (error) {
      if (error instanceof KeyServiceUnavailable) this.record(error, RETRY_PAUSE_MS);
      else if (error instanceof KeyRefused) this.record(error, 0);
      throw error;
    }
  }

  private record(error: Error | undefined, pauseMs: number): void {
    this.calledAt = Date.now();
    this.retryAt = this.calledAt + pauseMs;
    this.failure = error && { reason: error.message, since: this.failure?.since ?? new Date() };
  }
}
