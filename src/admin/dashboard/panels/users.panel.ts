import { Injectable } from '@nestjs/common';
import { type AdminUserDto, ListUsersDto } from '../../api/users/users.dto';
import { AdminUsersService } from '../../api/users/admin-users.service';
import { factList, html, type Markup, table, tag, timestamp } from '../components/html';
import { type Panel, type PanelRequest } from '../components/page';
import { ParseIdPipe } from '../../../platform/http/validation/request-validation.pipe';

const PAGE_SIZE = 50;

/** The searchable list of accounts. */
@Injectable()
export class UsersPanel implements Panel {
  readonly path = '/users';
  readonly title = 'Users';
  readonly section = '/admin/users';

  constructor(private readonly users: AdminUsersService) {}

  async render({ query }: PanelRequest): Promise<Markup> {
    const q = typeof query['q'] === 'string' && query['q'] !== '' ? query['q'].slice(0, 254) : undefined;
    const cursor = typeof query['cursor'] === 'string' ? query['cursor'] : undefined;
    const { items, nextCursor } = await this.users.list(
      Object.assign(new ListUsersDto(), { limit: PAGE_SIZE, q, cursor }),
    );
    return html`<form class="filters" method="get" action="/admin/users" role="search">
        <label>Part of the email or name <input type="search" name="q" maxlength="254" value="${q}" /></label>
        <button>Search</button>
      </form>
      <div class="card">${usersTable(items)}</div>
      ${nextCursor === null ? null : html`<p><a href="/admin/users?${new URLSearchParams({ q: q ?? '', cursor: nextCursor }).toString()}">Older accounts</a></p>`}`;
  }
}

function usersTable(users: readonly AdminUserDto[]): Markup {
  return table(
    'Users, newest first',
    [
      { head: 'User', cell: ({ id }) => html`<a href="/admin/users/${id}">${id}</a>` },
      { head: 'E-mail', cell: ({ email }) => email },
      { head: 'Name', cell: ({ firstName, lastName }) => [firstName, lastName].filter(Boolean).join(' ') },
      { head: 'Role', cell: ({ role }) => role },
      { head: 'Status', cell: accountStatus },
      { head: 'Since', cell: ({ createdAt }) => timestamp(createdAt) },
    ],
    users,
    'No user matches the search.',
  );
}

/** Renders the status of an account: active, verified, second factor. */
export function accountStatus({ isActive, isVerified, mfaEnabled }: AdminUserDto): Markup {
  return html`${isActive ? tag('good', 'active') : tag('bad', 'locked out')}
  ${isVerified ? null : tag('warn', 'not verified')} ${mfaEnabled ? tag('good', 'second factor') : null}`;
}

/** An account with its status, sessions and actions. */
@Injectable()
export class UserPanel implements Panel {
  readonly path = '/users/:id';
  readonly title = 'User';
  readonly section = '/admin/users';
  private readonly ids = new ParseIdPipe();

  constructor(private readonly users: AdminUsersService) {}

  async render({ id }: PanelRequest): Promise<Markup> {
    const { user, sessions } = await this.users.get(this.ids.transform(id, { type: 'param', data: 'id' }));
    const actionLink = (name: string, text: string): Markup =>
      html`<a class="button" href="/admin/users/${user.id}/${name}">${text}</a> `;
    return html`<div class="card">
        ${factList([
          ['E-mail', user.email],
          ['Name', [user.firstName, user.lastName].filter(Boolean).join(' ') || '–'],
          ['Role', user.role],
          ['Status', accountStatus(user)],
          ['Since', timestamp(user.createdAt)],
        ])}
        <p class="actions">
          ${user.isActive ? actionLink('deactivate', 'Lock out') : actionLink('activate', 'Unlock')}
          ${actionLink('end-sessions', 'End all sessions')}
          ${user.mfaEnabled ? actionLink('reset-mfa', 'Reset the second factor') : null}
        </p>
      </div>
      <h2>Sessions</h2>
      <div class="card">
        ${table(
          'Sessions, most recently used first',
          [
            { head: 'Device', cell: ({ device }) => device ?? 'unknown' },
            { head: 'Address', cell: ({ ip }) => ip ?? 'unknown' },
            { head: 'Started', cell: ({ createdAt }) => timestamp(createdAt) },
            { head: 'Last seen', cell: ({ lastSeenAt }) => timestamp(lastSeenAt, true) },
          ],
          sessions,
          'No sessions.',
        )}
      </div>`;
  }
}
