import { createHmac, randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Injectable } from '@nestjs/common';
import { compare, getRounds, hash } from 'bcrypt';
import { Config } from '../platform/config/config';
import { AppError } from '../platform/errors/app-error';
import { BoundedPool, PoolFullError } from './bounded-pool';

/** More waiting sign-ins than this are sent away, so that a flood of them leaves the other requests their memory and time. */
const MAX_WAITING = 32;

/** About how long the queue takes to drain at cost 12. */
const RETRY_AFTER_SECONDS = 10;

/**
 * Hashes and checks passwords: bcrypt over base64(HMAC-SHA-256(pepper, password)). bcrypt alone ignores all past 72 bytes
 * (36 Cyrillic letters); the keyed hash makes every character count, has no NUL, and a stolen table is worth nothing
 * without SECRET_KEY. Passwords are compared in Unicode NFC, so that the same letters typed on another system fit.
 * @see NIST SP 800-63B section 3.1.1.2; OWASP ASVS 6.2.8
 */
@Injectable()
export class Passwords {
  private readonly pepper: Buffer;
  private readonly cost: number;
  /** bcrypt runs beside the event loop but takes whole cores: one stays free for everything else. */
  private readonly pool = new BoundedPool(Math.max(1, availableParallelism() - 1), MAX_WAITING);
  private decoy: Promise<string> | undefined;

  constructor(config: Config) {
    this.pepper = config.secrets.derive('password-pepper');
    this.cost = config.auth.passwordHashCost;
  }

  /**
   * Returns the hash to store, 60 characters.
   * @throws AppError `rate.limited` when too many wait
   */
  hash(password: string): Promise<string> {
    return this.inTurn(() => hash(this.prehash(password), this.cost));
  }

  /**
   * Whether the password is the one that was hashed. Without a hash (no such account) the same work is done and the
   * answer is false.
   * @throws AppError `rate.limited` when too many wait
   */
  async verify(password: string, encrypted: string | undefined): Promise<boolean> {
    const expected = encrypted ?? (await this.decoyHash());
    const isSame = await this.inTurn(() => compare(this.prehash(password), expected));
    return isSame && encrypted !== undefined;
  }

  /** Whether a hash was made with less work than is asked for now. */
  isOutdated(encrypted: string): boolean {
    return getRounds(encrypted) < this.cost;
  }

  /** Computed once at start, so that the first unknown address does not take longer. */
  async prepare(): Promise<void> {
    await this.decoyHash();
  }

  private decoyHash(): Promise<string> {
    return (this.decoy ??= hash(this.prehash(randomBytes(32).toString('base64')), this.cost));
  }

  private prehash(password: string): string {
    return createHmac('sha256', this.pepper).update(password.normalize('NFC'), 'utf8').digest('base64');
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.pool.run(work);
    } catch (error) {
      if (!(error instanceof PoolFullError)) throw error;
      throw new AppError('rate.limited', {
        detail: 'too many sign-ins at once; try again shortly',
        headers: { 'retry-after': String(RETRY_AFTER_SECONDS) },
        cause: error,
      });
    }
  }
}
