import { Injectable } from '@nestjs/common';
import { SystemDatabase } from '../../platform/database/system-database';
import { asciiDomainOf, canonicalEmail } from '../../platform/mail/email';
import type { PasswordOwner } from '../passwords/password-policy';
import { createHash, randomBytes } from 'node:crypto';

/** The account data that sign-in checks. */
export interface Credentials {
  readonly userId: number;
  readonly encryptedPassword: string;
  readonly role: 'user' | 'admin';
  readonly isActive: boolean;
  readonly isVerified: boolean;
  readonly totpEnabled: boolean;
  /** Time of the read by PostgreSQL's clock. */
  readonly readAt: Date;
}

/** An account, as re-authentication and emails to the owner need it. */
export interface Account extends PasswordOwner {
  readonly encryptedPassword: string;
  readonly isActive: boolean;
  readonly totpEnabled: boolean;
}

/** The properties that decide whether an account may have sessions. */
export interface AccountStatus {
  readonly role: 'user' | 'admin';
  readonly isActive: boolean;
  /** Sessions verified before this time have ended. */
  readonly sessionsValidFrom: Date;
}

/** The data of a new account and of its verification token. */
export interface Registration {
  readonly email: string;
  readonly encryptedPassword: string;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly tokenHash: Buffer;
  readonly tokenSeconds: number;
}

/** The account that a registration created or found. */
interface RegisteredAccount {
  readonly userId: number;
  readonly emailTo: string;
  readonly isRegistered: boolean;
  /** True when another verification link of the address is valid. */
  readonly isRepeated: boolean;
}

/** The account that a verification token verifies, with the names that it gets. */
export interface PendingVerification extends PasswordOwner {
  readonly userId: number;
  /** The password of the token's registration; null for a resent link. */
  readonly encryptedPassword: string | null;
}

/** Purpose of a one-time token. */
export type TokenPurpose = 'verify_email' | 'reset_password';

/** A one-time token to be issued. */
export interface TokenRequest {
  readonly email: string;
  readonly purpose: TokenPurpose;
  readonly tokenHash: Buffer;
  readonly tokenSeconds: number;
}

/**
 * Calls the functions of schema auth as the role gigvault_auth, which may do nothing else: before the user is known
 * there is no tenant whose rows could be read. The functions are documented in typeorm-migrations/sql/users.
 */
@Injectable()
export class AccountsService {
  constructor(private readonly database: SystemDatabase) {}

  /** Returns the account of an address, in any letter case and either spelling of its domain; null without one. */
  findCredentials(email: string): Promise<Credentials | null> {
    return this.queryOne<Credentials>(
      `SELECT user_id AS "userId", encrypted_password AS "encryptedPassword", role, is_active AS "isActive",
              is_verified AS "isVerified", totp_enabled AS "totpEnabled", read_at AS "readAt"
         FROM auth.find_credentials($1)`,
      [canonicalEmail(email)],
    );
  }

  /** Returns the current status of an account; null when it does not exist. */
  findStatus(userId: number): Promise<AccountStatus | null> {
    return this.queryOne<AccountStatus>(
      `SELECT role, is_active AS "isActive", sessions_valid_from AS "sessionsValidFrom" FROM auth.account_status($1)`,
      [userId],
    );
  }

  /**
   * Creates an account, or renews one that was never verified, and stores its verification token.
   * @returns the account's id, the address in the spelling given first, and whether it was registered before; then
   *   nothing was changed
   */
  async register(registration: Registration): Promise<RegisteredAccount> {
    const row = await this.queryOne<RegisteredAccount>(
      `SELECT user_id AS "userId", email_to AS "emailTo", is_registered AS "isRegistered",
              is_repeated AS "isRepeated"
       FROM auth.register($1, $2, $3, $4, $5, $6, $7)`,
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

  /** Stores a token for the account of an address; returns null without an account that may have one. */
  async issueToken(request: TokenRequest): Promise<{ userId: number; emailTo: string } | null> {
    return this.queryOne(`SELECT user_id AS "userId", email_to AS "emailTo" FROM auth.issue_token($1, $2, $3, $4)`, [
      canonicalEmail(request.email),
      request.purpose,
      request.tokenHash,
      request.tokenSeconds,
    ]);
  }

  /** Returns what a verification token verifies, without consuming it; null for an invalid token. */
  findVerification(tokenHash: Buffer): Promise<PendingVerification | null> {
    return this.queryOne(
      `SELECT user_id AS "userId", email, first_name AS "firstName", last_name AS "lastName",
              encrypted_password AS "encryptedPassword"
       FROM auth.find_verification($1)`,
      [tokenHash],
    );
  }

  /**
   * Consumes a verification token and sets the password; returns the id of the verified account, or null for an invalid
   * token.
   */
  async verifyEmail(tokenHash: Buffer, encryptedPassword: string): Promise<number | null> {
    const row = await this.queryOne<{ userId: number | null }>(`SELECT auth.verify_email($1, $2) AS "userId"`, [
      tokenHash,
      encryptedPassword,
    ]);
    return row?.userId ?? null;
  }

  /** Returns the account with this id; null when it does not exist. */
  findAccount(userId: number): Promise<Account | null> {
    return this.queryOne<Account>(
      `SELECT email, first_name AS "firstName", last_name AS "lastName", encrypted_password AS "encryptedPassword",
              is_active AS "isActive", totp_enabled AS "totpEnabled" FROM auth.find_account($1)`,
      [userId],
    );
  }

  /** Returns the owner of a reset token without consuming it; null for an invalid token. */
  findPasswordReset(tokenHash: Buffer): Promise<(PasswordOwner & { readonly userId: number }) | null> {
    return this.queryOne(
      `SELECT user_id AS "userId", email, first_name AS "firstName", last_name AS "lastName"
       FROM auth.find_password_reset($1)`,
      [tokenHash],
    );
  }

  /** Consumes a reset token, sets the password and ends all sessions; returns null for an invalid token. */
  async resetPassword(tokenHash: Buffer, encryptedPassword: string): Promise<number | null> {
    const row = await this.queryOne<{ userId: number | null }>(`SELECT auth.reset_password($1, $2) AS "userId"`, [
      tokenHash,
      encryptedPassword,
    ]);
    return row?.userId ?? null;
  }

  /** Sets a password and ends sessions verified before the returned time; null when the account does not exist. */
  async setPassword(userId: number, encryptedPassword: string): Promise<Date | null> {
    const row = await this.queryOne<{ at: Date | null }>(`SELECT auth.set_password($1, $2) AS at`, [
      userId,
      encryptedPassword,
    ]);
    return row?.at ?? null;
  }

  /** Ends sessions verified before the returned time; null when the account does not exist. */
  async endSessions(userId: number): Promise<Date | null> {
    const row = await this.queryOne<{ at: Date | null }>(`SELECT auth.end_sessions($1) AS at`, [userId]);
    return row?.at ?? null;
  }

  /** Stores the same password hashed at another cost, unless the password was changed meanwhile. */
  async rehashPassword(userId: number, oldHash: string, newHash: string): Promise<void> {
    await this.queryOne(`SELECT auth.rehash_password($1, $2, $3)`, [userId, oldHash, newHash]);
  }

  /** Makes the account of an address a verified admin; see auth.ensure_admin for existing accounts. */
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

/** Generates the token of an emailed link: 256 random bits, stored only as a hash. */
export function generateOneTimeToken(): { token: string; hash: Buffer } {
  const token = randomBytes(ONE_TIME_TOKEN_BYTES).toString('base64url');
  return { token, hash: hashOneTimeToken(token) };
}

/** Returns the stored form of a token. A plain hash is enough for 256 random bits. */
export function hashOneTimeToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
