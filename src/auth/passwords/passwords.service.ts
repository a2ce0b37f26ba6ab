import { availableParallelism } from 'node:os';
import { currentContext } from '../../platform/context/request-context';
import { FairSemaphore } from '../../platform/concurrency/fair-semaphore';
import { getNetwork } from '../../platform/http/access/client-address';
import { createHmac, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { compare, getRounds, hash } from 'bcrypt';
import { Config } from '../../platform/config/config';

const RESOURCE = 'sign-ins';

/** Approximate time in which a full queue drains at cost 12. */
const RETRY_AFTER_SECONDS = 10;

/**
 * Limits the hashing of passwords to one hash per account and two per client address at a time; addresses take turns.
 * Right passwords count like wrong ones, so repeated sign-ins do not delay other callers.
 */
export class PasswordHashQueue {
  /** The queue is as long as the free attempts of an account, so that it does not reject owners before the throttle. */
  private readonly accounts = new FairSemaphore<string>({
    resource: RESOURCE,
    perKey: 1,
    maxWaitingPerKey: 15,
    maxWaiting: 2_048,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });

  /** bcrypt runs outside the event loop but uses whole cores, so one stays free. One address cannot fill the queue. */
  private readonly addresses = new FairSemaphore<string>({
    resource: RESOURCE,
    perKey: 2,
    total: Math.max(1, availableParallelism() - 1),
    maxWaitingPerKey: 32,
    maxWaiting: 2_048,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });

  /**
   * Runs a hash when its account and the request's address have a free slot.
   * @param account identifies the account; absent when there is none yet
   * @throws AppError `rate.too_many_at_once` with Retry-After, at once, when too many wait already
   */
  run<T>(account: string | undefined, hash: () => Promise<T>): Promise<T> {
    const runForAddress = (): Promise<T> => this.addresses.run(getNetwork(currentContext()?.ip ?? null), hash);
    return account === undefined ? runForAddress() : this.accounts.run(account, runForAddress);
  }
}

/**
 * Hashes and verifies passwords: bcrypt over base64(HMAC-SHA-256(pepper, password)). bcrypt alone ignores everything
 * past 72 bytes (36 Cyrillic letters). The keyed hash covers every character and contains no NUL, and a stolen table is
 * useless without SECRET_KEY. Passwords are compared in Unicode NFC, so that the same letters match on every system.
 * @see NIST SP 800-63B section 3.1.1.2; OWASP ASVS 6.2.8
 */
@Injectable()
export class PasswordsService {
  private readonly pepper: Buffer;
  private readonly cost: number;
  private readonly queue = new PasswordHashQueue();
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
    return this.queue.run(account, () => hash(this.applyPepper(password), this.cost));
  }

  /**
   * Returns whether the password matches the hash. Without a hash (no such account) it does the same work and returns
   * false.
   * @param account the email address of the request, with or without an account
   * @throws AppError `rate.too_many_at_once` when too many wait
   */
  async verify(password: string, encrypted: string | undefined, account?: string): Promise<boolean> {
    const expected = encrypted ?? (await this.getDecoyHash());
    const isSame = await this.queue.run(account, () => compare(this.applyPepper(password), expected));
    return isSame && encrypted !== undefined;
  }

  /** Returns whether a hash has a lower cost than the configured one. */
  isOutdated(encrypted: string): boolean {
    return getRounds(encrypted) < this.cost;
  }

  /** Computes the decoy hash at startup, so that the first unknown address does not take longer. */
  async prepare(): Promise<void> {
    await this.getDecoyHash();
  }

  private getDecoyHash(): Promise<string> {
    return (this.decoy ??= hash(this.applyPepper(randomBytes(32).toString('base64')), this.cost));
  }

  private applyPepper(password: string): string {
    return createHmac('sha256', this.pepper).update(password.normalize('NFC'), 'utf8').digest('base64');
  }
}
