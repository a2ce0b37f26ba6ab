import { Injectable } from '@nestjs/common';
import { SystemDatabase, type ReadAsAdmin } from '../../platform/database/system-database';
import { AppError } from '../../platform/errors/app-error';
import type { TaskRunDto } from '../dto/task-run.dto';
import { EncryptionKeysService } from '../encryption-keys.service';
import { OverviewService } from '../overview.service';
import { findRetry, findRun, listRuns, recentRuns, type RecentRun } from '../tasks.queries';
import { TasksService } from '../tasks.service';
import type { Markup } from './html';
import { overviewParts } from './pages/overview-page';
import { runParts, type ShownRun } from './pages/run-page';
import { keysParts } from './pages/keys-page';
import { taskParts, type ShownTask } from './pages/task-page';

/** Reads the parts of a page that are shown live, by their names. */
export type LiveView = (read: ReadAsAdmin) => Promise<Record<string, Markup>>;

const RUNS_OF_A_TASK = 20;
const BARS = 60;

/** The pages that are shown live, and what they show; reading for a page that is opened is a security event. */
@Injectable()
export class LiveViews {
  constructor(
    private readonly system: SystemDatabase,
    private readonly overview: OverviewService,
    private readonly tasks: TasksService,
    private readonly keys: EncryptionKeysService,
  ) {}

  /** @throws AppError `resource.not_found` */
  find(name: string): LiveView {
    const [kind, id = ''] = name.split(':', 2);
    if (name === 'overview') return async (read) => overviewParts(await this.overview.get(read));
    if (name === 'keys') return async (read) => keysParts(await this.keys.list(read));
    if (kind === 'task' && this.tasks.ids.includes(id)) return async (read) => taskParts(await this.task(id, read));
    if (kind === 'run' && /^\d{1,15}$/.test(id)) return async (read) => runParts(await this.run(Number(id), read));
    throw new AppError('resource.not_found', { detail: 'nothing of this name is shown live' });
  }

  /**
   * One run with what belongs to it.
   * @throws AppError `task.run_not_found`
   */
  run(id: number, read: ReadAsAdmin = (work) => this.system.asAdmin(`read run ${id}`, work)): Promise<ShownRun> {
    return read(async (unit) => {
      const [[run], [retry]] = await Promise.all([
        unit.query<TaskRunDto>(...findRun(id)),
        unit.query<{ id: number }>(...findRetry(id)),
      ]);
      if (!run) throw new AppError('task.run_not_found');
      const [task] = this.tasks.ids.includes(run.task) ? await this.tasks.states(unit, [run.task]) : [];
      return { run, usualDurationMs: task?.usualDurationMs ?? null, retriedBy: retry?.id ?? null };
    });
  }

  /**
   * One task with its latest runs.
   * @throws AppError `task.not_found`
   */
  task(id: string, read: ReadAsAdmin = (work) => this.system.asAdmin(`read task ${id}`, work)): Promise<ShownTask> {
    this.tasks.find(id);
    return read(async (unit) => {
      const [[task], recent, runs] = await Promise.all([
        this.tasks.states(unit, [id]),
        unit.query<RecentRun>(...recentRuns([id], BARS)),
        unit.query<TaskRunDto>(...listRuns(id, null, RUNS_OF_A_TASK)),
      ]);
      if (!task) throw new AppError('task.not_found');
      return { task, recent, runs };
    });
  }
}
