import { Injectable } from '@nestjs/common';
import type { AdminAct } from '../../platform/context/admin-acts';
import { ParseIdPipe } from '../../platform/http/validation/request-validation.pipe';
import { AccessAlertsService } from './overview/access-alerts.service';
import { AdminBackupsService } from '../api/backups/admin-backups.service';
import { EncryptionKeysService } from '../api/encryption-keys/encryption-keys.service';
import { AdminTasksService } from '../api/tasks/admin-tasks.service';
import { AdminUsersService } from '../api/users/admin-users.service';
import { USER_ACTIONS } from './user-actions';

/** The question shown before an action. */
export interface Confirmation {
  readonly title: string;
  readonly text: string;
  readonly button: string;
  /** The page that Cancel leads to. */
  readonly cancelPath: string;
  /** True when the action removes something. */
  readonly isDestructive?: boolean;
}

/** An action of an admin: GET on its path shows the form, POST with a reason performs it and redirects. */
export interface Action {
  readonly path: string;
  /** The act, whose rule says who must confirm the action with their credentials. */
  readonly act: AdminAct;
  /** Message shown on the next page. */
  readonly notice: string;
  readonly confirm: (id: string) => Confirmation;
  /** Performs the action with a reason for the security log, and returns the path of the next page. */
  readonly perform: (id: string, reason: string) => Promise<string>;
}

/** Defines the actions of the dashboard; ActionRoutes adds a route for each. */
@Injectable()
export class DashboardActionsService {
  private readonly ids = new ParseIdPipe();

  constructor(
    private readonly tasks: AdminTasksService,
    private readonly alerts: AccessAlertsService,
    private readonly users: AdminUsersService,
    private readonly keys: EncryptionKeysService,
    private readonly backups: AdminBackupsService,
  ) {}

  /** All actions by name; the redirect contains the name as `?done=`. */
  get all(): Readonly<Record<string, Action>> {
    return {
      ...this.buildTaskActions(),
      ...this.buildUserActions(),
      ...this.buildBackupActions(),
      ...this.buildKeyActions(),
      ...this.buildOtherActions(),
    };
  }

  private parseId(id: string): number {
    return this.ids.transform(id, { type: 'param', data: 'id' });
  }

  private buildTaskActions(): Record<string, Action> {
    const buildConfirmation = (id: string, title: string, button: string, text: string): Confirmation => {
      const { description } = this.tasks.find(id);
      return { title: `${title} ${id}?`, text: `${description} ${text}`, button, cancelPath: `/admin/tasks/${id}` };
    };
    return {
      run: {
        path: '/tasks/:id/run',
        act: 'run-task',
        notice: 'Run queued.',
        confirm: (id) =>
          buildConfirmation(
            id,
            'Run',
            'Run now',
            'A worker takes the run within moments. The schedule does not change.',
          ),
        perform: async (id, reason) => `/admin/runs/${(await this.tasks.run(id, reason)).id}`,
      },
      pause: {
        path: '/tasks/:id/pause',
        act: 'pause-task',
        notice: 'Schedule paused.',
        confirm: (id) =>
          buildConfirmation(id, 'Pause', 'Pause', `While it is paused: ${this.tasks.find(id).missedRunImpact}`),
        perform: async (id, reason) => `/admin/tasks/${(await this.tasks.pause(id, reason)).id}`,
      },
      resume: {
        path: '/tasks/:id/resume',
        act: 'pause-task',
        notice: 'Schedule resumed.',
        confirm: (id) => buildConfirmation(id, 'Resume', 'Resume', 'Missed runs are not repeated.'),
        perform: async (id, reason) => `/admin/tasks/${(await this.tasks.resume(id, reason)).id}`,
      },
      retry: {
        path: '/runs/:id/retry',
        act: 'run-task',
        notice: 'New run queued.',
        confirm: (id) => ({
          title: `Retry run ${this.parseId(id)}?`,
          text:
            'The task runs again and processes what is due then. Finished work is not repeated. This run stays ' +
            'in the history.',
          button: 'Retry',
          cancelPath: `/admin/runs/${id}`,
        }),
        perform: async (id, reason) => `/admin/runs/${(await this.tasks.retry(this.parseId(id), reason)).id}`,
      },
    };
  }

  private buildUserActions(): Record<string, Action> {
    return {
      deactivate: this.buildUserAction('deactivate', (id, reason) =>
        this.users.change(id, { isActive: false, reason }),
      ),
      activate: this.buildUserAction('activate', (id, reason) => this.users.change(id, { isActive: true, reason })),
      'make-admin': this.buildUserAction('make-admin', (id, reason) =>
        this.users.change(id, { role: 'admin', reason }),
      ),
      'remove-admin': this.buildUserAction('remove-admin', (id, reason) =>
        this.users.change(id, { role: 'user', reason }),
      ),
      'end-sessions': this.buildUserAction('end-sessions', (id, reason) => this.users.endSessions(id, reason)),
      'reset-mfa': this.buildUserAction('reset-mfa', (id, reason) => this.users.resetMfa(id, reason)),
    };
  }

  private buildUserAction(
    name: keyof typeof USER_ACTIONS,
    work: (id: number, reason: string) => Promise<unknown>,
  ): Action {
    const { act, title, text, button, notice } = USER_ACTIONS[name];
    return {
      path: `/users/:id/${name}`,
      act,
      notice,
      confirm: (id) => ({
        title: `${title} ${this.parseId(id)}?`,
        text,
        button,
        cancelPath: `/admin/users/${id}`,
        isDestructive: name !== 'activate' && name !== 'make-admin',
      }),
      perform: async (id, reason) => {
        await work(this.parseId(id), reason);
        return `/admin/users/${id}`;
      },
    };
  }

  private buildBackupActions(): Record<string, Action> {
    return {
      'make-backup': {
        path: '/backups/make',
        act: 'create-backup',
        notice: 'Backup queued.',
        confirm: () => ({
          title: 'Create a backup?',
          text:
            'A worker dumps the database, stores the encrypted dump, and verifies it by restoring it into a ' +
            'scratch cluster. Of the verified backups of a day, only the newest is kept.',
          button: 'Create',
          cancelPath: '/admin/backups',
        }),
        perform: async (_id, reason) => {
          await this.backups.create(reason);
          return '/admin/backups';
        },
      },
      'verify-backup': {
        path: '/backups/:id/verify',
        act: 'verify-backup',
        notice: 'Verification queued.',
        confirm: (id) => ({
          title: `Verify backup ${this.parseId(id)}?`,
          text: 'A worker reads the file from the store, restores it into a scratch cluster and compares.',
          button: 'Verify',
          cancelPath: '/admin/backups',
        }),
        perform: async (id, reason) => {
          await this.backups.verify(this.parseId(id), reason);
          return '/admin/backups';
        },
      },
    };
  }

  private buildOtherActions(): Record<string, Action> {
    return {
      'retry-all': {
        path: '/runs/retry-all',
        act: 'run-task',
        notice: 'A new run was queued for each failed one.',
        confirm: () => ({
          title: 'Retry all failed runs?',
          text: 'Queues one run for each task that failed, fully or in part, and has not succeeded since.',
          button: 'Retry all',
          cancelPath: '/admin/runs',
        }),
        perform: async (_id, reason) => {
          await this.tasks.retryAll(reason);
          return '/admin/runs';
        },
      },
      dismiss: {
        path: '/alerts/:id/dismiss',
        act: 'dismiss-alert',
        notice: 'Alert dismissed.',
        confirm: (id) => ({
          title: `Dismiss alert ${this.parseId(id)}?`,
          text: 'The alert disappears from the dashboard. Its record is kept.',
          button: 'Dismiss',
          cancelPath: '/admin/security',
        }),
        perform: async (id, reason) => {
          await this.alerts.dismiss(this.parseId(id), reason);
          return '/admin/security';
        },
      },
    };
  }

  private buildKeyActions(): Record<string, Action> {
    return {
      rotate: {
        path: '/keys/rotate',
        act: 'rotate-encryption-keys',
        notice: 'Key rotation queued.',
        confirm: () => ({
          title: 'Rotate the encryption keys?',
          text:
            'With a key file, a new master key is created and used once every process has it. Otherwise the ' +
            'first of ENCRYPTION_KEYS is used. All data keys are then wrapped with it. Reads and writes ' +
            'continue. Copy the key file afterwards: later backups cannot be read without the new key.',
          button: 'Rotate',
          cancelPath: '/admin/keys',
        }),
        perform: async (_id, reason) => {
          await this.keys.rotate(reason);
          return '/admin/keys';
        },
      },
      retire: {
        path: '/keys/:id/retire',
        act: 'retire-encryption-key',
        notice: 'Key destroyed.',
        confirm: (id) => ({
          title: `Destroy the master key ${id}?`,
          text:
            'Neither the database nor a stored backup needs the key any more. Copies of older backups ' +
            'elsewhere cannot be decrypted without it. The key cannot be recovered.',
          button: 'Destroy',
          cancelPath: '/admin/keys',
          isDestructive: true,
        }),
        perform: async (id, reason) => {
          await this.keys.retire(id, reason);
          return '/admin/keys';
        },
      },
    };
  }
}
