import { Injectable } from '@nestjs/common';
import { SystemDatabase } from '../../platform/database/system-database';
import { asciiDomainOf, canonicalEmail } from '../../platform/mail/email';
import type { PasswordOwner } from '../passwords/password-policy';
import { createHash, randomBytes } from 'node:crypto';

/** What sign-in needs to know of an account. */
export interface Credentials {
  readonly userId: number;
  readonly encryptedPassword: string;
  readonly role: 'user' | 'admin';
  readonly isActive: boolean;
  readonly isVerified: boolean;
  readonly totpEnabled: boolean;
  /** PostgreSQL's time of this answer. */
  readonly readAt: Date;
}

/** An account, for confirming that somebody is its owner and for writing to him. */
export interface Account extends PasswordOwner {
  readonly encryptedPassword: string;
  readonly isActive: boolean;
  readonly totpEnabled: boolean;
}

/** Whether an account may have sessions. */
export interface AccountStatus {
  readonly role: 'user' | 'admin';
  readonly isActive: boolean;
  /** Sessions proven before are over. */
  readonly sessionsValidFrom: Date;
}

/** A person who asks for an account. */
export interface Registration {
  readonly email: string;
  readonly encryptedPassword: string;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly tokenHash: Buffer;
  readonly tokenSeconds: number;
}

/** The account a registration made or found. */
interface RegisteredAccount {
  readonly userId: number;
  readonly emailTo: string;
  readonly isRegistered: boolean;
}

/** What a one-time token is for. */
export type TokenPurpose = 'verify_email' | 'reset_password';

/** A mailed token to be. */
export interface TokenRequest {
  readonly email: string;
  readonly purpose: TokenPurpose;
  readonly tokenHash: Buffer;
  readonly tokenSeconds: number;
}

/**
 * The functions of schema auth, each one call of the role gigvault_auth, which may do nothing else: before a user is
 * known there is no tenant whose rows could be read. What each does stands beside it in the migration.
 */
@Injectable()
export class AccountsService {
  constructor(private readonly database: SystemDatabase) {}

  /** The account of an address, in any letter case and either spelling of its domain; null when there is none. */
  findCredentials(email: string): Promise<Credentials | null> {
    return this.queryOne<Credentials>(
      `SELECT user_id AS "userId", encrypted_password AS "encryptedPassword", role, is_active AS "isActive",
              is_verified AS "isVerified", totp_enabled AS "totpEnabled", read_at AS "readAt"
         FROM auth.find_credentials($1)`,
      [canonicalEmail(email)],
    );
  }

  /** The account's standing now; null when it is gone. */
  findStatus(userId: number): Promise<AccountStatus | null> {
    return this.queryOne<AccountStatus>(
      `SELECT role, is_active AS "isActive", sessions_valid_from AS "sessionsValidFrom" FROM auth.account_status($1)`,
      [userId],
    );
  }

  /**
   * Makes the account, or renews one that was never verified, and stores the token that will verify it.
   * @returns the account's id, the address as it was first given, and whether it was there and verified before; then nothing
   *   was changed
   */
  async register(registration: Registration): Promise<RegisteredAccount> {
    const row = await this.queryOne<RegisteredAccount>(
      `SELECT user_id AS "userId", email_to AS "emailTo", is_registered AS "isRegistered" FROM auth.register($1, $2, $3, $4, $5, $6, $7)`,
      [
        registration.email,
        asciiDomainOf(registration.email),
        registration.encryptedPassword,
        registration.firstName,
        registration.lastName,
        registration.tokenHash,
        registration.tokenSeconds,
      ],
    );
    return row!;
  }

  /** Stores a token for the account of an address; null when there is none that may have it. */
  async issueToken(request: TokenRequest): Promise<{ userId: number; emailTo: string } | null> {
    return this.queryOne(`SELECT user_id AS "userId", email_to AS "emailTo" FROM auth.issue_token($1, $2, $3, $4)`, [
      canonicalEmail(request.email),
      request.purpose,
      request.tokenHash,
      request.tokenSeconds,
    ]);
  }

  /** Spends a verification token; the id of the account it verified, or null when it is not good. */
  async verifyEmail(tokenHash: Buffer): Promise<number | null> {
    const row = await this.queryOne<{ userId: number | null }>(`SELECT auth.verify_email($1) AS "userId"`, [tokenHash]);
    return row?.userId ?? null;
  }

  /** The account with this id; null when it is gone. */
  findAccount(userId: number): Promise<Account | null> {
    return this.queryOne<Account>(
      `SELECT email, first_name AS "firstName", last_name AS "lastName", encrypted_password AS "encryptedPassword",
              is_active AS "isActive", totp_enabled AS "totpEnabled" FROM auth.find_account($1)`,
      [userId],
    );
  }

  /** Whose password a reset token may set, without spending it; null when it is not good. */
  findPasswordReset(tokenHash: Buffer): Promise<(PasswordOwner & { readonly userId: number }) | null> {
    return this.queryOne(
      `SELECT user_id AS "userId", email, first_name AS "firstName", last_name AS "lastName" FROM auth.find_password_reset($1)`,
      [tokenHash],
    );
  }

  /** Spends a reset token: the password is set and all sessions are over; the account's id, or null when it is not good. */
  async resetPassword(tokenHash: Buffer, encryptedPassword: string): Promise<number | null> {
    const row = await this.queryOne<{ userId: number | null }>(`SELECT auth.reset_password($1, $2) AS "userId"`, [
      tokenHash,
      encryptedPassword,
    ]);
    return row?.userId ?? null;
  }

  /** Sets a password; sessions proven before the returned time are over. Null when the account is gone. */
  async setPassword(userId: number, encryptedPassword: string): Promise<Date | null> {
    const row = await this.queryOne<{ at: Date | null }>(`SELECT auth.set_password($1, $2) AS at`, [
      userId,
      encryptedPassword,
    ]);
    return row?.at ?? null;
  }

  /** Sessions proven before the returned time are over. Null when the account is gone. */
  async endSessions(userId: number): Promise<Date | null> {
    const row = await this.queryOne<{ at: Date | null }>(`SELECT auth.end_sessions($1) AS at`, [userId]);
    return row?.at ?? null;
  }

  /** Stores the same password hashed at another cost, unless it was changed meanwhile. */
  async rehashPassword(userId: number, oldHash: string, newHash: string): Promise<void> {
    await this.queryOne(`SELECT auth.rehash_password($1, $2, $3)`, [userId, oldHash, newHash]);
  }

  /** Makes sure the address is a verified admin; see auth.ensure_admin for an account that was there before. */
  async ensureAdmin(email: string, encryptedPassword: string): Promise<'created' | 'promoted' | 'unchanged'> {
    const row = await this.queryOne<{ outcome: 'created' | 'promoted' | 'unchanged' }>(
      `SELECT auth.ensure_admin($1, $2, $3) AS outcome`,
      [email, asciiDomainOf(email), encryptedPassword],
    );
    return row!.outcome;
  }

  private queryOne<Row extends object>(sql: string, values: readonly unknown[]): Promise<Row | null> {
    return this.database.asAuth(async (unit) => {
      const [row] = await unit.query<Record<string, unknown>>(sql, values);
      return row === undefined ? null : (row as Row);
    });
  }
}

const ONE_TIME_TOKEN_BYTES = 32;

/** Makes a token for a mailed link: 256 random bits, of which only the hash is stored. */
export function generateOneTimeToken(): { token: string; hash: Buffer } {
  const token = randomBytes(ONE_TIME_TOKEN_BYTES).toString('base64url');
  return { token, hash: hashOneTimeToken(token) };
}

/** The stored form of a token; a plain hash is enough for 256 random bits. */
export function hashOneTimeToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
