import { Injectable } from '@nestjs/common';
import { ParseIdPipe } from '../../platform/http/validation/request-validation.pipe';
import { AccessAlertsService } from './overview/access-alerts.service';
import { AdminBackupsService } from '../api/backups/admin-backups.service';
import { EncryptionKeysService } from '../api/encryption-keys/encryption-keys.service';
import { AdminTasksService } from '../api/tasks/admin-tasks.service';
import { AdminUsersService } from '../api/users/admin-users.service';

/** What is asked before an act. */
export interface Confirmation {
  readonly title: string;
  readonly text: string;
  readonly button: string;
  /** The page that Cancel leads to. */
  readonly cancelPath: string;
  /** Whether it takes something away. */
  readonly isDestructive?: boolean;
}

/** Something an admin can do: GET on its path asks, POST with a reason does it and leads on. */
export interface Action {
  readonly path: string;
  /** Whether every admin must have confirmed who they are within the last minutes, with or without a second factor. */
  readonly needsStepUp?: boolean;
  /** Shown on the page it leads to. */
  readonly notice: string;
  readonly confirm: (id: string) => Confirmation;
  /** Does it for a reason, which goes on record, and returns the page to go on with. */
  readonly perform: (id: string, reason: string) => Promise<string>;
}

const USER_ACTION_TEXTS = {
  deactivate: {
    title: 'Lock out user',
    text: 'All sessions end at once, and nobody can sign in to the account until it is unlocked. Nothing is deleted.',
    button: 'Lock out',
    notice: 'The user is locked out.',
  },
  activate: {
    title: 'Unlock user',
    text: 'The user may sign in again with the same password and second factor.',
    button: 'Unlock',
    notice: 'The user may sign in again.',
  },
  'end-sessions': {
    title: 'End all sessions of user',
    text: 'The user has to sign in again everywhere, and gets an email.',
    button: 'End sessions',
    notice: 'All sessions were ended.',
  },
  'reset-mfa': {
    title: 'Reset the second factor of user',
    text: 'For users who have lost it, when you are sure who asks. All sessions end; the user gets an email. The password stays.',
    button: 'Reset',
    notice: 'The second factor was reset.',
  },
} as const;

/** Lists all that can be done on the dashboard; each has a route. */
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

  /** Every act by its name, which is in the address after it is done. */
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
        notice: 'Run queued.',
        confirm: (id) =>
          buildConfirmation(
            id,
            'Run',
            'Run now',
            'A worker takes the run within moments; its schedule stays as it is.',
          ),
        perform: async (id, reason) => `/admin/runs/${(await this.tasks.run(id, reason)).id}`,
      },
      pause: {
        path: '/tasks/:id/pause',
        notice: 'Schedule paused.',
        confirm: (id) =>
          buildConfirmation(id, 'Pause', 'Pause', `While it is paused: ${this.tasks.find(id).missedRunImpact}`),
        perform: async (id, reason) => `/admin/tasks/${(await this.tasks.pause(id, reason)).id}`,
      },
      resume: {
        path: '/tasks/:id/resume',
        notice: 'Schedule resumed.',
        confirm: (id) => buildConfirmation(id, 'Resume', 'Resume', 'Missed runs are not repeated.'),
        perform: async (id, reason) => `/admin/tasks/${(await this.tasks.resume(id, reason)).id}`,
      },
      retry: {
        path: '/runs/:id/retry',
        notice: 'A new run was asked for.',
        confirm: (id) => ({
          title: `Retry run ${this.parseId(id)}?`,
          text: 'The task runs again: it takes what is due then and does not repeat what is already done. This run stays in the history as it is.',
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
      'end-sessions': this.buildUserAction('end-sessions', (id, reason) => this.users.endSessions(id, reason)),
      'reset-mfa': this.buildUserAction('reset-mfa', (id, reason) => this.users.resetMfa(id, reason)),
    };
  }

  private buildUserAction(
    name: keyof typeof USER_ACTION_TEXTS,
    work: (id: number, reason: string) => Promise<unknown>,
  ): Action {
    const { title, text, button, notice } = USER_ACTION_TEXTS[name];
    return {
      path: `/users/:id/${name}`,
      needsStepUp: true,
      notice,
      confirm: (id) => ({
        title: `${title} ${this.parseId(id)}?`,
        text,
        button,
        cancelPath: `/admin/users/${id}`,
        isDestructive: name !== 'activate',
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
        needsStepUp: true,
        notice: 'Backup queued.',
        confirm: () => ({
          title: 'Make a backup?',
          text: 'A worker dumps the database, stores the dump sealed, and restores it into a scratch cluster to see that it can be.',
          button: 'Make it',
          cancelPath: '/admin/backups',
        }),
        perform: async (_id, reason) => {
          await this.backups.create(reason);
          return '/admin/backups';
        },
      },
      'verify-backup': {
        path: '/backups/:id/verify',
        needsStepUp: true,
        notice: 'Verification queued.',
        confirm: (id) => ({
          title: `Verify backup ${this.parseId(id)}?`,
          text: 'Its file is read from where it is kept, restored and compared.',
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
        notice: 'A new run was queued in place of each failed one.',
        confirm: () => ({
          title: 'Retry all that failed?',
          text: 'One new run for each task whose latest run failed, wholly or in part, and that has not succeeded since.',
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
        notice: 'The alert was dismissed.',
        confirm: (id) => ({
          title: `Dismiss alert ${this.parseId(id)}?`,
          text: 'It leaves the dashboard and stays in the records.',
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
        needsStepUp: true,
        notice: 'Key rotation queued.',
        confirm: () => ({
          title: 'Rotate the encryption keys?',
          text: 'Where master keys come from a key file, a new one is made, and used once every process has it; else the first of ENCRYPTION_KEYS is the new one. All data keys are wrapped with it again. Reading and writing continue.',
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
        needsStepUp: true,
        notice: 'The key was destroyed.',
        confirm: (id) => ({
          title: `Destroy the master key ${id}?`,
          text: 'It wraps nothing in the database any more, and no backup that is kept. Copies of backups elsewhere that were made while it wrapped do not open without it, and nothing brings it back.',
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
