import { Injectable } from '@nestjs/common';
import { ListUsersDto } from '../../dto/list-users.dto';
import type { AdminUserDto } from '../../dto/admin-user.dto';
import { AdminUsersService } from '../../users.service';
import { html, type Markup } from '../html';
import type { Panel, PanelRequest } from '../panel';
import { moment, table, tag } from '../widgets';

const ON_A_PAGE = 50;

/** The accounts, to be searched; each a link to its page. */
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
      Object.assign(new ListUsersDto(), { limit: ON_A_PAGE, q, cursor }),
    );
    return html`<form class="filters" method="get" action="/admin/users" role="search">
        <label>Part of the address or the name <input type="search" name="q" maxlength="254" value="${q}" /></label>
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
      { head: 'Status', cell: standingOf },
      { head: 'Since', cell: ({ createdAt }) => moment(createdAt) },
    ],
    users,
    'No user matches.',
  );
}

/** Returns whether a user may sign in, and how safely. */
export function standingOf({ isActive, isVerified, mfaEnabled }: AdminUserDto): Markup {
  return html`${isActive ? tag('good', 'active') : tag('bad', 'locked out')}
  ${isVerified ? null : tag('warn', 'not verified')} ${mfaEnabled ? tag('good', 'second factor') : null}`;
}
