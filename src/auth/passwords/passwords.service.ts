import { availableParallelism } from 'node:os';
import { currentContext } from '../../platform/context/request-context';
import { FairSemaphore } from '../../platform/concurrency/fair-semaphore';
import { getNetwork } from '../../platform/http/access/client-address';
import { createHmac, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { compare, getRounds, hash } from 'bcrypt';
import { Config } from '../../platform/config/config';

const RESOURCE = 'sign-ins';

/** About how long a full queue takes to drain at cost 12. */
const RETRY_AFTER_SECONDS = 10;

/**
 * Divides the hashing of passwords: one hash of an account and two of a client address at a time, addresses in turn.
 * Right passwords count like wrong ones, so signing in over and over delays nobody else.
 */
export class PasswordHashQueue {
  /** As many wait as an account has free tries, so that an owner is not refused before the throttle would refuse. */
  private readonly accounts = new FairSemaphore<string>({
    resource: RESOURCE,
    perKey: 1,
    maxWaitingPerKey: 15,
    maxWaiting: 2_048,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });

  /** bcrypt runs beside the event loop but takes whole cores: one stays free. One address cannot fill the queue. */
  private readonly addresses = new FairSemaphore<string>({
    resource: RESOURCE,
    perKey: 2,
    total: Math.max(1, availableParallelism() - 1),
    maxWaitingPerKey: 32,
    maxWaiting: 2_048,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });

  /**
   * Runs a hash when it is the turn of its account and of the request's address.
   * @param account what names the account; absent when no account is concerned yet
   * @throws AppError `rate.too_many_at_once` with Retry-After, at once, when too much waits already
   */
  run<T>(account: string | undefined, hash: () => Promise<T>): Promise<T> {
    const runForAddress = (): Promise<T> => this.addresses.run(getNetwork(currentContext()?.ip ?? null), hash);
    return account === undefined ? runForAddress() : this.accounts.run(account, runForAddress);
  }
}

/**
 * Hashes and checks passwords: bcrypt over base64(HMAC-SHA-256(pepper, password)). bcrypt alone ignores all past 72 bytes
 * (36 Cyrillic letters); the keyed hash makes every character count, has no NUL, and a stolen table is worth nothing
 * without SECRET_KEY. Passwords are compared in Unicode NFC, so that the same letters typed on another system fit.
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
   * Whether the password is the one that was hashed. Without a hash (no such account) the same work is done and the
   * answer is false.
   * @param account the email address that was given, with or without an account
   * @throws AppError `rate.too_many_at_once` when too many wait
   */
  async verify(password: string, encrypted: string | undefined, account?: string): Promise<boolean> {
    const expected = encrypted ?? (await this.getDecoyHash());
    const isSame = await this.queue.run(account, () => compare(this.applyPepper(password), expected));
    return isSame && encrypted !== undefined;
  }

  /** Whether a hash was made with less work than is asked for now. */
  isOutdated(encrypted: string): boolean {
    return getRounds(encrypted) < this.cost;
  }

  /** Computed once at start, so that the first unknown address does not take longer. */
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
