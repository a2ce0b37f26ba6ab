import { createHmac, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { compare, getRounds, hash } from 'bcrypt';
import { Config } from '../platform/config/config';
import { HashQueue } from './hash-queue';

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
  private readonly queue = new HashQueue();
  private decoy: Promise<string> | undefined;

  constructor(config: Config) {
    this.pepper = config.secrets.derive('password-pepper');
    this.cost = config.auth.passwordHashCost;
  }

  /**
   * Returns the hash to store, 60 characters.
   * @param account the email address of the account, which runs one hash at a time
   * @throws AppError `rate.too_many_at_once` when too many wait
   */
  hash(password: string, account?: string): Promise<string> {
    return this.queue.run(account, () => hash(this.prehash(password), this.cost));
  }

  /**
   * Whether the password is the one that was hashed. Without a hash (no such account) the same work is done and the
   * answer is false.
   * @param account the email address that was given, with or without an account
   * @throws AppError `rate.too_many_at_once` when too many wait
   */
  async verify(password: string, encrypted: string | undefined, account?: string): Promise<boolean> {
    const expected = encrypted ?? (await this.decoyHash());
    const isSame = await this.queue.run(account, () => compare(this.prehash(password), expected));
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
}
