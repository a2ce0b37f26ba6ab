import { Injectable } from '@nestjs/common';
import { ParseIdPipe } from '../../platform/http/parse-id.pipe';
import { AccessAlertsService } from '../access-alerts.service';
import { AdminBackupsService } from '../backups.service';
import { EncryptionKeysService } from '../encryption-keys.service';
import { TasksService } from '../tasks.service';
import { AdminUsersService } from '../users.service';

/** What is asked before an act. */
export interface Question {
  readonly title: string;
  readonly text: string;
  readonly button: string;
  /** The page that Cancel leads to. */
  readonly back: string;
  /** Whether it takes something away. */
  readonly isGrave?: boolean;
}

/** Something an admin can do: GET on its path asks, POST with a reason does it and leads on. */
export interface Act {
  readonly path: string;
  /** Whether every admin must have confirmed who they are within the last minutes, with or without a second factor. */
  readonly needsStepUp?: boolean;
  /** Shown on the page it leads to. */
  readonly notice: string;
  readonly ask: (id: string) => Question;
  /** Does it for a reason, which goes on record, and returns the page to go on with. */
  readonly do: (id: string, reason: string) => Promise<string>;
}

const USER_ACTS = {
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
export class DashboardActs {
  private readonly ids = new ParseIdPipe();

  constructor(
    private readonly tasks: TasksService,
    private readonly alerts: AccessAlertsService,
    private readonly users: AdminUsersService,
    private readonly keys: EncryptionKeysService,
    private readonly backups: AdminBackupsService,
  ) {}

  /** Every act by its name, which is in the address after it is done. */
  get all(): Readonly<Record<string, Act>> {
    return { ...this.ofTasks(), ...this.ofUsers(), ...this.ofBackups(), ...this.ofKeys(), ...this.others() };
  }

  private idOf(id: string): number {
    return this.ids.transform(id, { type: 'param', data: 'id' });
  }

  private ofTasks(): Record<string, Act> {
    const question = (id: string, title: string, button: string, text: string): Question => {
      const { description } = this.tasks.find(id);
      return { title: `${title} ${id}?`, text: `${description} ${text}`, button, back: `/admin/tasks/${id}` };
    };
    return {
      run: {
        path: '/tasks/:id/run',
        notice: 'Run queued.',
        ask: (id) =>
          question(id, 'Run', 'Run now', 'A worker takes the run within moments; its schedule stays as it is.'),
        do: async (id, reason) => `/admin/runs/${(await this.tasks.run(id, reason)).id}`,
      },
      pause: {
        path: '/tasks/:id/pause',
        notice: 'Schedule paused.',
        ask: (id) => question(id, 'Pause', 'Pause', `While it is paused: ${this.tasks.find(id).whatAMissMeans}`),
        do: async (id, reason) => `/admin/tasks/${(await this.tasks.pause(id, reason)).id}`,
      },
      resume: {
        path: '/tasks/:id/resume',
        notice: 'Schedule resumed.',
        ask: (id) => question(id, 'Resume', 'Resume', 'Missed runs are not repeated.'),
        do: async (id, reason) => `/admin/tasks/${(await this.tasks.resume(id, reason)).id}`,
      },
      retry: {
        path: '/runs/:id/retry',
        notice: 'A new run was asked for.',
        ask: (id) => ({
          title: `Retry run ${this.idOf(id)}?`,
          text: 'The task runs again: it takes what is due then and does not repeat what is already done. This run stays in the history as it is.',
          button: 'Retry',
          back: `/admin/runs/${id}`,
        }),
        do: async (id, reason) => `/admin/runs/${(await this.tasks.retry(this.idOf(id), reason)).id}`,
      },
    };
  }

  private ofUsers(): Record<string, Act> {
    return {
      deactivate: this.ofUser('deactivate', (id, reason) => this.users.change(id, { isActive: false, reason })),
      activate: this.ofUser('activate', (id, reason) => this.users.change(id, { isActive: true, reason })),
      'end-sessions': this.ofUser('end-sessions', (id, reason) => this.users.endSessions(id, reason)),
      'reset-mfa': this.ofUser('reset-mfa', (id, reason) => this.users.resetMfa(id, reason)),
    };
  }

  private ofUser(name: keyof typeof USER_ACTS, work: (id: number, reason: string) => Promise<unknown>): Act {
    const { title, text, button, notice } = USER_ACTS[name];
    return {
      path: `/users/:id/${name}`,
      needsStepUp: true,
      notice,
      ask: (id) => ({
        title: `${title} ${this.idOf(id)}?`,
        text,
        button,
        back: `/admin/users/${id}`,
        isGrave: name !== 'activate',
      }),
      do: async (id, reason) => {
        await work(this.idOf(id), reason);
        return `/admin/users/${id}`;
      },
    };
  }

  private ofBackups(): Record<string, Act> {
    return {
      'make-backup': {
        path: '/backups/make',
        needsStepUp: true,
        notice: 'Backup queued.',
        ask: () => ({
          title: 'Make a backup?',
          text: 'A worker dumps the database, stores the dump sealed, and restores it into a scratch cluster to see that it can be.',
          button: 'Make it',
          back: '/admin/backups',
        }),
        do: async (_id, reason) => {
          await this.backups.create(reason);
          return '/admin/backups';
        },
      },
      'verify-backup': {
        path: '/backups/:id/verify',
        needsStepUp: true,
        notice: 'Verification queued.',
        ask: (id) => ({
          title: `Verify backup ${this.idOf(id)}?`,
          text: 'Its file is read from where it is kept, restored and compared.',
          button: 'Verify',
          back: '/admin/backups',
        }),
        do: async (id, reason) => {
          await this.backups.verify(this.idOf(id), reason);
          return '/admin/backups';
        },
      },
    };
  }

  private others(): Record<string, Act> {
    return {
      'retry-all': {
        path: '/runs/retry-all',
        notice: 'A new run was queued in place of each failed one.',
        ask: () => ({
          title: 'Retry all that failed?',
          text: 'One new run for each task whose latest run failed, wholly or in part, and that has not succeeded since.',
          button: 'Retry all',
          back: '/admin/runs',
        }),
        do: async (_id, reason) => {
          await this.tasks.retryAll(reason);
          return '/admin/runs';
        },
      },
      dismiss: {
        path: '/alerts/:id/dismiss',
        notice: 'The alert was dismissed.',
        ask: (id) => ({
          title: `Dismiss alert ${this.idOf(id)}?`,
          text: 'It leaves the dashboard and stays in the records.',
          button: 'Dismiss',
          back: '/admin/security',
        }),
        do: async (id, reason) => {
          await this.alerts.dismiss(this.idOf(id), reason);
          return '/admin/security';
        },
      },
    };
  }

  private ofKeys(): Record<string, Act> {
    return {
      rotate: {
        path: '/keys/rotate',
        needsStepUp: true,
        notice: 'Key rotation queued.',
        ask: () => ({
          title: 'Rotate the encryption keys?',
          text: 'Where master keys come from a key file, a new one is made, and used once every process has it; else the first of ENCRYPTION_KEYS is the new one. All data keys are wrapped with it again. Reading and writing continue.',
          button: 'Rotate',
          back: '/admin/keys',
        }),
        do: async (_id, reason) => {
          await this.keys.rotate(reason);
          return '/admin/keys';
        },
      },
      retire: {
        path: '/keys/:id/retire',
        needsStepUp: true,
        notice: 'The key was destroyed.',
        ask: (id) => ({
          title: `Destroy the master key ${id}?`,
          text: 'It wraps nothing in the database any more, and no backup that is kept. Copies of backups elsewhere that were made while it wrapped do not open without it, and nothing brings it back.',
          button: 'Destroy',
          back: '/admin/keys',
          isGrave: true,
        }),
        do: async (id, reason) => {
          await this.keys.retire(id, reason);
          return '/admin/keys';
        },
      },
    };
  }
}
