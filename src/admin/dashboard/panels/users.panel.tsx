import { Injectable } from '@nestjs/common';
import type { VNode } from 'preact';
import { type AdminUserDto, ListUsersDto } from '../../api/users/users.dto';
import { AdminUsersService } from '../../api/users/admin-users.service';
import type { SessionSummary } from '../../../auth/sessions/session-cache.service';
import { type Column, FactList, Table, Tag, Timestamp, type Panel, type PanelRequest } from '../components/page';
import { ParseIdPipe } from '../../../platform/http/validation/request-validation.pipe';

const PAGE_SIZE = 50;

/** The searchable list of accounts. */
@Injectable()
export class UsersPanel implements Panel {
  readonly path = '/users';
  readonly title = 'Users';
  readonly section = '/admin/users';

  constructor(private readonly users: AdminUsersService) {}

  async render({ query }: PanelRequest): Promise<VNode> {
    const q = typeof query['q'] === 'string' && query['q'] !== '' ? query['q'].slice(0, 254) : undefined;
    const cursor = typeof query['cursor'] === 'string' ? query['cursor'] : undefined;
    const { items, nextCursor } = await this.users.list(
      Object.assign(new ListUsersDto(), { limit: PAGE_SIZE, q, cursor }),
    );
    return (
      <>
        <form class="filters" method="get" action="/admin/users" role="search">
          <label>
            Part of the email or name <input type="search" name="q" maxlength={254} value={q} />
          </label>
          <button>Search</button>
        </form>
        <div class="card">
          <Table
            caption="Users, newest first"
            columns={USER_COLUMNS}
            rows={items}
            empty="No user matches the search."
          />
        </div>
        {nextCursor !== null && (
          <p>
            <a href={`/admin/users?${new URLSearchParams({ q: q ?? '', cursor: nextCursor }).toString()}`}>
              Older accounts
            </a>
          </p>
        )}
      </>
    );
  }
}

const USER_COLUMNS: readonly Column<AdminUserDto>[] = [
  { head: 'User', cell: ({ id }) => <a href={`/admin/users/${id}`}>{id}</a> },
  { head: 'Email', cell: ({ email }) => email },
  { head: 'Name', cell: formatName },
  { head: 'Role', cell: ({ role }) => role },
  { head: 'Status', cell: (user) => <AccountStatus {...user} /> },
  { head: 'Created', cell: ({ createdAt }) => <Timestamp at={createdAt} /> },
];

function formatName({ firstName, lastName }: AdminUserDto): string {
  return [firstName, lastName].filter(Boolean).join(' ');
}

/** Renders the status of an account: active, verified, second factor. */
function AccountStatus({ isActive, isVerified, mfaEnabled }: AdminUserDto): VNode {
  return (
    <>
      {isActive ? <Tag tone="good" text="active" /> : <Tag tone="bad" text="deactivated" />}{' '}
      {!isVerified && <Tag tone="warn" text="not verified" />} {mfaEnabled && <Tag tone="good" text="second factor" />}
    </>
  );
}

/** An account with its status, sessions and actions. */
@Injectable()
export class UserPanel implements Panel {
  readonly path = '/users/:id';
  readonly title = 'User';
  readonly section = '/admin/users';
  private readonly ids = new ParseIdPipe();

  constructor(private readonly users: AdminUsersService) {}

  async render({ id }: PanelRequest): Promise<VNode> {
    const { user, sessions } = await this.users.get(this.ids.transform(id, { type: 'param', data: 'id' }));
    return (
      <>
        <div class="card">
          <FactList
            facts={[
              ['Email', user.email],
              ['Name', formatName(user) || '–'],
              ['Role', user.role],
              ['Status', <AccountStatus {...user} />],
              ['Created', <Timestamp at={user.createdAt} />],
            ]}
          />
          <UserActions {...user} />
        </div>
        <h2>Sessions</h2>
        <div class="card">
          <Table
            caption="Sessions, most recently used first"
            columns={SESSION_COLUMNS}
            rows={sessions}
            empty="No sessions."
          />
        </div>
      </>
    );
  }
}

const SESSION_COLUMNS: readonly Column<SessionSummary>[] = [
  { head: 'Device', cell: ({ device }) => device ?? 'unknown' },
  { head: 'IP address', cell: ({ ip }) => ip ?? 'unknown' },
  { head: 'Started', cell: ({ createdAt }) => <Timestamp at={createdAt} /> },
  { head: 'Last seen', cell: ({ lastSeenAt }) => <Timestamp at={lastSeenAt} isRelative /> },
];

function UserActions({ id, role, isActive, mfaEnabled }: AdminUserDto): VNode {
  const actions = [
    isActive ? ['deactivate', 'Deactivate'] : ['activate', 'Activate'],
    role === 'admin' ? ['remove-admin', 'Remove the admin role'] : ['make-admin', 'Make admin'],
    ['end-sessions', 'End all sessions'],
    ...(mfaEnabled ? [['reset-mfa', 'Reset the second factor']] : []),
  ];
  return (
    <p class="actions">
      {actions.map(([name, text]) => (
        <a class="button" href={`/admin/users/${id}/${name}`}>
          {text}
        </a>
      ))}
    </p>
  );
}
