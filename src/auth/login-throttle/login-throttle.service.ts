import { createHmac, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { Config } from '../../platform/config/config';
import { currentContext } from '../../platform/context/request-context';
import { AppError, unavailable } from '../../platform/errors/app-error';
import { getNetwork } from '../../platform/http/access/client-address';
import { emailHash } from '../../platform/mail/email';
import { RedisClients } from '../../platform/redis/redis-clients';
import {
  CLEAR_ATTEMPT,
  REMEMBER_DEVICE,
  RECORD_ATTEMPT,
  RECORD_SIGN_IN_ATTEMPT,
  COUNT_USE,
} from './login-throttle.scripts';

/** Failures in 15 minutes before delays begin. AUTH_THROTTLE_SCALE multiplies all limits. */
const FAILURES_PER_ACCOUNT = 15;
const FAILURES_PER_ADDRESS = 60;

/** Limits per hour. */
const REGISTRATIONS_PER_ADDRESS = 60;
const EMAILS_PER_RECIPIENT = 10;
const EXPORTS_PER_USER = 10;

/** A limit of a user and its current use. */
export interface LimitUsage {
  readonly name: string;
  readonly limit: number;
  readonly used: number;
  readonly windowSeconds: number;
}

const MAX_KNOWN_DEVICES = 20;
const DEVICE_LIFE_MS = 180 * 24 * 3600 * 1000;

/** An attempt that counts as failed until it is cleared. */
export interface LoginAttempt {
  readonly keys: readonly string[];
  readonly name: string;
}

/**
 * Counts failed passwords and codes in Redis, for all processes together. Keys contain keyed hashes, also of addresses
 * without an account. No account is locked: waits end, and a known device of the owner (address and user agent) has its
 * own count.
 */
@Injectable()
export class LoginThrottleService {
  private readonly redis: Redis;
  private readonly key: Buffer;
  private readonly scale: number;

  constructor(clients: RedisClients, config: Config) {
    this.redis = clients.commands;
    this.key = config.secrets.derive('email-hash');
    this.scale = config.auth.throttleScale;
  }

  /**
   * Records a sign-in attempt by password.
   * @throws AppError `auth.throttled` with Retry-After; then the password must not be checked
   */
  async recordSignInAttempt(email: string): Promise<LoginAttempt> {
    const account = emailHash(this.key, email).toString('base64url');
    const device = this.hashDevice(account);
    const keys = [`fails:account:${account}`, this.buildAddressKey('fails'), `fails:device:${device}`];
    const name = randomUUID();
    const limits = [FAILURES_PER_ACCOUNT * this.scale, FAILURES_PER_ADDRESS * this.scale];
    this.assertNoWait(
      await this.runScript(
        RECORD_SIGN_IN_ATTEMPT,
        [...keys, `devices:${account}`],
        [Date.now(), name, ...limits, device],
      ),
    );
    return { keys, name };
  }

  /** Stores the device of the request as a known device of the account. */
  async rememberDevice(email: string): Promise<void> {
    const account = emailHash(this.key, email).toString('base64url');
    await this.runScript(
      REMEMBER_DEVICE,
      [`devices:${account}`],
      [Date.now(), this.hashDevice(account), MAX_KNOWN_DEVICES, DEVICE_LIFE_MS],
    );
  }

  /**
   * Runs the check of a known user's password or code. Only the result false or null counts as a failed attempt; after
   * an error, nothing was checked.
   * @throws AppError `auth.throttled` with Retry-After; then the check does not run
   */
  async countFailure<T>(kind: (typeof ATTEMPT_KINDS)[number], userId: number, check: () => Promise<T>): Promise<T> {
    const attempt = await this.recordAttempt(kind, userId);
    let isFailed = false;
    try {
      const result = await check();
      isFailed = result === false || result === null;
      return result;
    } finally {
      if (!isFailed) await this.clearAttempt(attempt);
    }
  }

  private async recordAttempt(kind: (typeof ATTEMPT_KINDS)[number], userId: number): Promise<LoginAttempt> {
    const keys = [`fails:${kind}:${userId}`];
    const name = randomUUID();
    this.assertNoWait(
      await this.runScript(RECORD_ATTEMPT, keys, [Date.now(), name, FAILURES_PER_ACCOUNT * this.scale]),
    );
    return { keys, name };
  }

  /** Removes a recorded attempt that did not fail. */
  async clearAttempt({ keys, name }: LoginAttempt): Promise<void> {
    await this.runScript(CLEAR_ATTEMPT, keys, [name]);
  }

  /**
   * Counts a registration from the request's address.
   * @throws AppError `auth.throttled` with Retry-After
   */
  async countRegistration(): Promise<void> {
    this.assertNoWait(
      await this.runScript(
        COUNT_USE,
        [this.buildAddressKey('registrations')],
        [REGISTRATIONS_PER_ADDRESS * this.scale],
      ),
    );
  }

  /** Counts an email that an anonymous caller requested; returns false when the recipient's hourly limit is reached. */
  async countEmail(email: string): Promise<boolean> {
    const key = `emails:${emailHash(this.key, email).toString('base64url')}`;
    return (await this.runScript(COUNT_USE, [key], [EMAILS_PER_RECIPIENT * this.scale])) === 0;
  }

  /**
   * Counts a data export of a user.
   * @throws AppError `auth.throttled` with Retry-After
   */
  async countExport(userId: number): Promise<void> {
    this.assertNoWait(await this.runScript(COUNT_USE, [buildExportsKey(userId)], [EXPORTS_PER_USER * this.scale]));
  }

  /** Returns the limits of a signed-in user and their use. @throws AppError `service.unavailable` */
  async listUsage(userId: number): Promise<LimitUsage[]> {
    const since = Date.now() - 15 * 60_000;
    const counts = [
      this.redis.get(buildExportsKey(userId)),
      ...ATTEMPT_KINDS.map((kind) => this.redis.zcount(`fails:${kind}:${userId}`, since, '+inf')),
    ];
    const [exports, passwords, codes] = await Promise.all(counts).catch((cause: unknown) => {
      throw unavailable(cause);
    });
    return [
      { name: 'exports', limit: EXPORTS_PER_USER * this.scale, used: Number(exports), windowSeconds: 3600 },
      {
        name: 'failedPasswords',
        limit: FAILURES_PER_ACCOUNT * this.scale,
        used: Number(passwords),
        windowSeconds: 900,
      },
      { name: 'failedCodes', limit: FAILURES_PER_ACCOUNT * this.scale, used: Number(codes), windowSeconds: 900 },
    ];
  }

  /** Returns the keyed hash that replaces an address in logs and keys. */
  hashEmail(email: string): Buffer {
    return emailHash(this.key, email);
  }

  /** Deletes all counts of an erased account. */
  async forgetAccount(userId: number, email: string): Promise<void> {
    const account = this.hashEmail(email).toString('base64url');
    const devices = await this.redis.zrange(`devices:${account}`, '0', '-1');
    await this.redis.del(
      `fails:account:${account}`,
      `devices:${account}`,
      `emails:${account}`,
      buildExportsKey(userId),
      ...ATTEMPT_KINDS.map((kind) => `fails:${kind}:${userId}`),
      ...devices.map((device) => `fails:device:${device}`),
    );
  }

  private assertNoWait(waitMs: number): void {
    if (waitMs === 0) return;
    const seconds = Math.ceil(waitMs / 1000);
    throw new AppError('auth.throttled', {
      detail: `Try again in ${seconds} s.`,
      headers: { 'retry-after': String(seconds) },
    });
  }

  /** Returns a hash that identifies the device; it differs between accounts. */
  private hashDevice(account: string): string {
    const context = currentContext();
    return createHmac('sha256', this.key)
      .update(JSON.stringify([account, context?.ip, context?.userAgent]))
      .digest('base64url');
  }

  private buildAddressKey(kind: string): string {
    return `${kind}:address:${getNetwork(currentContext()?.ip ?? null)}`;
  }

  private async runScript(
    script: string,
    keys: readonly string[],
    values: readonly (string | number)[],
  ): Promise<number> {
    try {
      return Number(await this.redis.eval(script, keys.length, ...keys, ...values));
    } catch (cause) {
      throw unavailable(cause);
    }
  }
}

/** The inputs whose failures are counted per user. */
const ATTEMPT_KINDS = ['password', 'code'] as const;

function buildExportsKey(userId: number): string {
  return `exports:${userId}`;
}
