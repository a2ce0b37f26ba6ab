import { Injectable } from '@nestjs/common';
import { Notices } from '../auth/notices.service';
import type { SessionSummary } from '../auth/session-record';
import { SessionsService } from '../auth/sessions.service';
import { SystemDatabase } from '../platform/database/system-database';
import type { Unit } from '../platform/database/unit';
import { AppError, invalidValue } from '../platform/errors/app-error';
import { KeysetPages } from '../platform/http/keyset-page';
import type { Page } from '../platform/http/page';
import type { AdminUserDto } from './dto/admin-user.dto';
import type { ChangeUserDto } from './dto/change-user.dto';
import type { ListUsersDto } from './dto/list-users.dto';
import { explained } from './explained';
import { findUser, listUsers, type UserRow } from './users.queries';

/** What app.set_standing() tells. */
type Outcome = 'changed' | 'unchanged' | 'not_found' | 'last_admin';

/**
 * Accounts in the hands of an admin, who never sees or chooses a secret. Everything runs as gigvault_admin: a security
 * event before each act, and the reason in the audit row of what changed.
 */
@Injectable()
export class AdminUsersService {
  constructor(
    private readonly system: SystemDatabase,
    private readonly sessions: SessionsService,
    private readonly notices: Notices,
    private readonly pages: KeysetPages,
  ) {}

  /** Returns one page of the accounts that fit the filters, newest first. */
  async list(query: ListUsersDto): Promise<Page<AdminUserDto>> {
    const page = this.pages.open(query);
    const rows = await this.system.asAdmin('list users', (unit) =>
      unit.query<UserRow>(...listUsers(query, page.after, page.take)),
    );
    return page.of(rows, (row) => [row.sortKey, row.id], shown);
  }

  /**
   * One account, with its live sessions.
   * @throws AppError `user.not_found`
   */
  async get(id: number): Promise<{ user: AdminUserDto; sessions: SessionSummary[] }> {
    const user = await this.system.asAdmin(`read user ${id} and his sessions`, (unit) => this.find(unit, id));
    if (!user) throw new AppError('user.not_found');
    return { user, sessions: await this.sessions.list(id) };
  }

  /**
   * Deactivates an account or lets it sign in again, or changes its role. Its sessions are over at once, also for a Redis
   * that forgets it. Nothing happens when all is so already.
   * @throws AppError `validation.failed` when nothing is to be changed, `user.not_found`, `user.last_admin`
   */
  async change(id: number, { isActive, role, reason }: ChangeUserDto): Promise<AdminUserDto> {
    if (isActive === undefined && role === undefined) throw invalidValue('', 'required', 'give isActive, role or both');
    const { outcome, user } = await this.system.asAdmin(`change user ${id}: ${reason}`, async (unit) => {
      const [row] = await unit.query<{ outcome: Outcome }>('SELECT app.set_standing($1, $2, $3) AS outcome', [
        id,
        isActive ?? null,
        role ?? null,
      ]);
      return { outcome: row?.outcome, user: await this.find(unit, id) };
    });
    if (outcome === 'last_admin')
      throw new AppError('user.last_admin', { detail: 'make somebody else an admin first' });
    if (!user) throw new AppError('user.not_found');
    if (outcome === 'changed') await this.sessions.endAll(id);
    return user;
  }

  /**
   * Ends all sessions of an account. Side effects: a letter to its owner.
   * @throws AppError `user.not_found`
   */
  async endSessions(id: number, reason?: string): Promise<void> {
    const [row] = await this.system.asAdmin(explained(`end the sessions of user ${id}`, reason), (unit) =>
      unit.query<{ at: Date | null }>('SELECT auth.end_sessions($1) AS at', [id]),
    );
    if (!row?.at) throw new AppError('user.not_found');
    await this.sessions.endAll(id);
    await this.notices.send(id, 'sessions-ended');
  }

  /**
   * Takes the second factor of an account away, for an owner who has lost it, and ends its sessions. The password still
   * stands, and the admin cannot set it. Side effects: a letter to the owner.
   * @throws AppError `user.not_found`, `mfa.not_enabled`
   */
  async resetMfa(id: number, reason?: string): Promise<AdminUserDto> {
    const { wasReset, user } = await this.system.asAdmin(
      explained(`reset the second factor of user ${id}`, reason),
      async (unit) => {
        const [row] = await unit.query<{ done: boolean }>('SELECT app.reset_mfa($1) AS done', [id]);
        return { wasReset: row?.done === true, user: await this.find(unit, id) };
      },
    );
    if (!user) throw new AppError('user.not_found');
    if (!wasReset) throw new AppError('mfa.not_enabled');
    await this.sessions.endAll(id);
    await this.notices.send(id, 'mfa-reset');
    return user;
  }

  private async find(unit: Unit, id: number): Promise<AdminUserDto | null> {
    const [row] = await unit.query<UserRow>(...findUser(id));
    return row ? shown(row) : null;
  }
}

function shown({
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
