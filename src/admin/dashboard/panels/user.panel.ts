import { Injectable } from '@nestjs/common';
import { ParseIdPipe } from '../../../platform/http/parse-id.pipe';
import { AdminUsersService } from '../../users.service';
import { html, type Markup } from '../html';
import type { Panel, PanelRequest } from '../panel';
import { facts, moment, table } from '../widgets';
import { standingOf } from './users.panel';

/** One account: its status, its sessions, and what an admin can do. */
@Injectable()
export class UserPanel implements Panel {
  readonly path = '/users/:id';
  readonly title = 'User';
  readonly section = '/admin/users';
  private readonly ids = new ParseIdPipe();

  constructor(private readonly users: AdminUsersService) {}

  async render({ id }: PanelRequest): Promise<Markup> {
    const { user, sessions } = await this.users.get(this.ids.transform(id, { type: 'param', data: 'id' }));
    const act = (name: string, text: string): Markup =>
      html`<a class="button" href="/admin/users/${user.id}/${name}">${text}</a> `;
    return html`<div class="card">
        ${facts([
          ['E-mail', user.email],
          ['Name', [user.firstName, user.lastName].filter(Boolean).join(' ') || '–'],
          ['Role', user.role],
          ['Status', standingOf(user)],
          ['Since', moment(user.createdAt)],
        ])}
        <p class="acts">
          ${user.isActive ? act('deactivate', 'Lock out') : act('activate', 'Unlock')}
          ${act('end-sessions', 'End all sessions')}
          ${user.mfaEnabled ? act('reset-mfa', 'Reset the second factor') : null}
        </p>
      </div>
      <h2>Sessions</h2>
      <div class="card">
        ${table(
          'Live sessions, most recently used first',
          [
            { head: 'Device', cell: ({ device }) => device ?? 'unknown' },
            { head: 'Address', cell: ({ ip }) => ip ?? 'unknown' },
            { head: 'Started', cell: ({ createdAt }) => moment(createdAt) },
            { head: 'Last seen', cell: ({ lastSeenAt }) => moment(lastSeenAt, true) },
          ],
          sessions,
          'Not signed in anywhere.',
        )}
      </div>`;
  }
}
