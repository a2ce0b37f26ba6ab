import { Conditions } from '../../../platform/database/conditions';
import { type CursorKey, KeysetPages } from '../../../platform/http/pagination/keyset-page';
import { type AdminUserDto, type ChangeUserDto, type ListUsersDto } from './users.dto';
import { Injectable } from '@nestjs/common';
import { AccountNotificationsService } from '../../../auth/accounts/account-notifications.service';
import type { SessionSummary } from '../../../auth/sessions/session-cache.service';
import { SessionsService } from '../../../auth/sessions/sessions.service';
import { SystemDatabase } from '../../../platform/database/system-database';
import type { UnitOfWork } from '../../../platform/database/unit-of-work';
import { AppError, invalidValue } from '../../../platform/errors/app-error';
import type { Page } from '../../../platform/http/pagination/page.dto';
import { describeAction } from '../reason.dto';

/** A row of the list, with its sort key as PostgreSQL formats it. */
export type UserRow = AdminUserDto & { readonly sortKey: string };

const USER_COLUMNS = `
  u.id, u.email, u.first_name AS "firstName", u.last_name AS "lastName", u.role, u.is_active AS "isActive",
  u.is_verified AS "isVerified", coalesce(m.totp_enabled, false) AS "mfaEnabled", u.created_at AS "createdAt",
  u.updated_at AS "updatedAt", u.created_at::text AS "sortKey"`;

const FROM_USERS = `FROM users u LEFT JOIN user_mfa m ON m.user_id = u.id`;

/** Selects one page of the accounts that match the filters, newest first, after the keys `after`. */
export function listUsers(
  { q, role, isActive }: Pick<ListUsersDto, 'q' | 'role' | 'isActive'>,
  after: readonly CursorKey[] | undefined,
  take: number,
): [sql: string, values: unknown[]] {
  const conditions = new Conditions()
    .add(`strpos(lower(concat_ws(' ', u.email, u.first_name, u.last_name)), lower($?)) > 0`, q)
    .add('u.role = $?', role)
    .add('u.is_active = $?', isActive)
    .after('u.created_at, u.id', '<', ['timestamptz', 'bigint'], after);
  const limit = conditions.value(take);
  return [
    `SELECT ${USER_COLUMNS} ${FROM_USERS} ${conditions.where} ORDER BY u.created_at DESC, u.id DESC LIMIT ${limit}`,
    conditions.values,
  ];
}

/** Selects one account. */
export function findUser(id: number): [sql: string, values: unknown[]] {
  return [`SELECT ${USER_COLUMNS} ${FROM_USERS} WHERE u.id = $1`, [id]];
}

/** The result of app.set_account_status(). */
type AccountChangeOutcome = 'changed' | 'unchanged' | 'not_found' | 'last_admin';

/**
 * Account administration. Admins never see or set a secret. Runs as gigvault_admin: each action is a security event,
 * and audit rows contain its reason.
 */
@Injectable()
export class AdminUsersService {
  constructor(
    private readonly system: SystemDatabase,
    private readonly sessions: SessionsService,
    private readonly notifications: AccountNotificationsService,
    private readonly pages: KeysetPages,
  ) {}

  /** Returns one page of the accounts that match the filters, newest first. */
  async list(query: ListUsersDto): Promise<Page<AdminUserDto>> {
    const page = this.pages.open(query);
    const rows = await this.system.asAdmin('list users', (unit) =>
      unit.query<UserRow>(...listUsers(query, page.after, page.take)),
    );
    return page.of(rows, (row) => [row.sortKey, row.id], toUserDto);
  }

  /**
   * Returns one account with its live sessions.
   * @throws AppError `user.not_found`
   */
  async get(id: number): Promise<{ user: AdminUserDto; sessions: SessionSummary[] }> {
    const reason = `read user ${id} and their sessions`;
    const user = await this.system.asAdmin(reason, (unit) => this.find(unit, id), id);
    if (!user) throw new AppError('user.not_found');
    return { user, sessions: await this.sessions.list(id) };
  }

  /**
   * Activates or deactivates an account, or changes its role. A change ends its sessions at once, even if Redis later
   * restores them.
   * @throws AppError `validation.failed` without a change, `user.not_found`, `user.last_admin`
   */
  async change(id: number, { isActive, role, reason }: ChangeUserDto): Promise<AdminUserDto> {
    if (isActive === undefined && role === undefined)
      throw invalidValue('', 'required', 'Give isActive, role or both.');
    const { outcome, user } = await this.system.performAsAdmin(
      'change-user',
      `change user ${id}: ${reason}`,
      async (unit) => {
        const [row] = await unit.query<{ outcome: AccountChangeOutcome }>(
          'SELECT app.set_account_status($1, $2, $3) AS outcome',
          [id, isActive ?? null, role ?? null],
        );
        return { outcome: row?.outcome, user: await this.find(unit, id) };
      },
      id,
    );
    if (outcome === 'last_admin')
      throw new AppError('user.last_admin', { detail: 'Make another user an admin first.' });
    if (!user) throw new AppError('user.not_found');
    if (outcome === 'changed') await this.sessions.endAll(id);
    return user;
  }

  /**
   * Ends all sessions of an account. Side effects: an email to the user.
   * @throws AppError `user.not_found`
   */
  async endSessions(id: number, reason?: string): Promise<void> {
    const [row] = await this.system.performAsAdmin(
      'end-user-sessions',
      describeAction(`end the sessions of user ${id}`, reason),
      (unit) => unit.query<{ at: Date | null }>('SELECT auth.end_sessions($1) AS at', [id]),
      id,
    );
    if (!row?.at) throw new AppError('user.not_found');
    await this.sessions.endAll(id);
    await this.notifications.send(id, 'sessions-ended');
  }

  /**
   * Turns off the second factor of a user who has lost it, and ends their sessions. The password stays; admins cannot
   * set it. Side effects: an email to the user.
   * @throws AppError `user.not_found`, `mfa.not_enabled`
   */
  async resetMfa(id: number, reason?: string): Promise<AdminUserDto> {
    const { wasReset, user } = await this.system.performAsAdmin(
      'reset-mfa',
      describeAction(`reset the second factor of user ${id}`, reason),
      async (unit) => {
        const [row] = await unit.query<{ done: boolean }>('SELECT app.reset_mfa($1) AS done', [id]);
        return { wasReset: row?.done === true, user: await this.find(unit, id) };
      },
      id,
    );
    if (!user) throw new AppError('user.not_found');
    if (!wasReset) throw new AppError('mfa.not_enabled');
    await this.sessions.endAll(id);
    await this.notifications.send(id, 'mfa-reset');
    return user;
  }

  private async find(unit: UnitOfWork, id: number): Promise<AdminUserDto | null> {
    const [row] = await unit.query<UserRow>(...findUser(id));
    return row ? toUserDto(row) : null;
  }
}

function toUserDto({
  id,
  email,
  firstName,
  lastName,
  role,
  isActive,
  isVerified,
  mfaEnabled,
  createdAt,
  updatedAt,
}: UserRow): AdminUserDto {
  return { id, email, firstName, lastName, role, isActive, isVerified, mfaEnabled, createdAt, updatedAt };
}
