import { Injectable } from '@nestjs/common';
import { SystemDatabase, type AdminReader } from '../../platform/database/system-database';
import { Config } from '../../platform/config/config';
import { AppError } from '../../platform/errors/app-error';
import { EmailOutboxService } from '../../platform/mail/mailer.service';
import type { TaskRunDto } from '../api/tasks/tasks.dto';
import { EncryptionKeysService } from '../api/encryption-keys/encryption-keys.service';
import { OverviewService } from './overview/overview.service';
import { findRetry, findRun, selectRuns, selectRecentRuns, type RecentRun } from '../api/tasks/tasks.queries';
import { AdminTasksService } from '../api/tasks/admin-tasks.service';
import { overviewParts } from './pages/overview-page';
import { runParts, type RunView, taskParts, type TaskView } from './pages/task-page';
import { keysParts } from './panels/keys.panel';
import { mailParts } from './panels/mail.panel';
import { renderParts } from './responses';

/** Reads the live parts of a page, as HTML by name. */
export type LivePartsReader = (read: AdminReader) => Promise<Record<string, string>>;

const TASK_RUNS_SHOWN = 20;
const BARS_SHOWN = 60;

/** Readers of pages with live parts. Opening a page is a security event. */
@Injectable()
export class LivePartsService {
  constructor(
    private readonly system: SystemDatabase,
    private readonly overview: OverviewService,
    private readonly tasks: AdminTasksService,
    private readonly keys: EncryptionKeysService,
    private readonly outbox: EmailOutboxService,
    private readonly config: Config,
  ) {}

  /** @throws AppError `resource.not_found` */
  findReader(name: string): LivePartsReader {
    const [kind, id = ''] = name.split(':', 2);
    if (name === 'overview') return async (read) => renderParts(overviewParts(await this.overview.read(read)));
    if (name === 'keys') return async (read) => renderParts(keysParts(await this.keys.list(read)));
    if (name === 'mail' && !this.config.isProduction)
      return async (read) => renderParts(mailParts(await this.outbox.list(undefined, read)));
    if (kind === 'task' && this.tasks.ids.includes(id))
      return async (read) => renderParts(taskParts(await this.readTask(id, read)));
    if (kind === 'run' && /^\d{1,15}$/.test(id))
      return async (read) => renderParts(runParts(await this.readRun(Number(id), read)));
    throw new AppError('resource.not_found', { detail: 'There is no live view of this name.' });
  }

  /**
   * Reads a run with its usual duration and its retry.
   * @throws AppError `task.run_not_found`
   */
  readRun(id: number, read: AdminReader = (work) => this.system.asAdmin(`read run ${id}`, work)): Promise<RunView> {
    return read(async (unit) => {
      const [[run], [retry]] = await Promise.all([
        unit.query<TaskRunDto>(...findRun(id)),
        unit.query<{ id: number }>(...findRetry(id)),
      ]);
      if (!run) throw new AppError('task.run_not_found');
      const [task] = this.tasks.ids.includes(run.task) ? await this.tasks.readStates(unit, [run.task]) : [];
      return { run, usualDurationMs: task?.usualDurationMs ?? null, retriedBy: retry?.id ?? null };
    });
  }

  /**
   * Reads a task with its latest runs.
   * @throws AppError `task.not_found`
   */
  readTask(id: string, read: AdminReader = (work) => this.system.asAdmin(`read task ${id}`, work)): Promise<TaskView> {
    this.tasks.find(id);
    return read(async (unit) => {
      const [[task], recent, runs] = await Promise.all([
        this.tasks.readStates(unit, [id]),
        unit.query<RecentRun>(...selectRecentRuns([id], BARS_SHOWN)),
        unit.query<TaskRunDto>(...selectRuns(id, null, TASK_RUNS_SHOWN)),
      ]);
      if (!task) throw new AppError('task.not_found');
      return { task, recent, runs };
    });
  }
}
