import { Injectable } from '@nestjs/common';
import { SystemDatabase } from '../platform/database/system-database';
import { HealthChecks } from '../platform/health/health-checks';
import { TaskQueue, type QueueCounts } from '../platform/queues/task-queue';
import type { TaskDto } from './dto/task.dto';
import type { TaskRunDto } from './dto/task-run.dto';
import { COVERAGE, UNMENDED, VIEW_REFRESHED, type CoverageRow } from './overview.queries';
import { latestRuns } from './tasks.queries';
import { AccessAlertsService, type ShownAlert } from './access-alerts.service';
import { TasksService } from './tasks.service';

/** A task that is due for longer is not taken by any worker. */
const LATE_MS = 2 * 60_000;

/** Unchanged numbers are refreshed hourly. */
const VIEW_OLD_MS = 2 * 3_600_000;

/** Time enough to find out why no partitions are made. */
const COVERAGE_LOW_DAYS = 90;

const RUNS_SHOWN = 15;

/** One light of the dashboard. */
export interface Light {
  readonly name: string;
  readonly isGreen: boolean;
  /** What is measured; when not green, the reason. */
  readonly text: string;
}

/** What the dashboard shows. */
export interface Overview {
  readonly at: Date;
  readonly lights: readonly Light[];
  readonly tasks: readonly TaskDto[];
  readonly runs: readonly TaskRunDto[];
  readonly alerts: readonly ShownAlert[];
  readonly queue: QueueCounts | null;
}

interface Facts {
  readonly coverage: readonly CoverageRow[];
  readonly viewRefreshedAt: Date | null;
  readonly unmended: readonly Pick<TaskRunDto, 'id' | 'task' | 'endedAt' | 'error'>[];
  readonly runs: readonly TaskRunDto[];
  readonly alerts: readonly ShownAlert[];
}

/** Tells whether the installation is well, or why not. */
@Injectable()
export class OverviewService {
  constructor(
    private readonly system: SystemDatabase,
    private readonly health: HealthChecks,
    private readonly queue: TaskQueue,
    private readonly tasks: TasksService,
    private readonly alerts: AccessAlertsService,
  ) {}

  /** Returns the state of now. Runs as gigvault_admin; the reading is a security event. */
  async get(): Promise<Overview> {
    const [services, facts, tasks, queue] = await Promise.all([
      this.serviceLights(),
      this.facts(),
      this.tasks.list(),
      this.queue.counts().catch(() => null),
    ]);
    const at = new Date();
    const lights = [...services, viewLight(facts, at), ...coverageLights(facts), failuresLight(facts), attacksLight(facts), scheduleLight(tasks, at)];
    return { at, lights, tasks, runs: facts.runs, alerts: facts.alerts, queue };
  }

  private async serviceLights(): Promise<Light[]> {
    const { checks } = await this.health.ready();
    return ['postgres', 'redis'].map((name) => {
      const check = checks[name];
      return { name, isGreen: check?.status === 'ok', text: check?.status === 'ok' ? 'answers' : (check?.detail ?? 'not known') };
    });
  }

  private facts(): Promise<Facts> {
    return this.system.asAdmin('open the dashboard', async (unit) => {
      const [coverage, refreshed, unmended, runs, alerts] = await Promise.all([
        unit.query<CoverageRow>(COVERAGE),
        unit.query<{ at: Date }>(VIEW_REFRESHED),
        unit.query<Facts['unmended'][number]>(UNMENDED),
        unit.query<TaskRunDto>(...latestRuns(RUNS_SHOWN)),
        this.alerts.standing(unit),
      ]);
      return { coverage, viewRefreshedAt: refreshed[0]?.at ?? null, unmended, runs, alerts };
    });
  }
}

function viewLight({ viewRefreshedAt }: Facts, now: Date): Light {
  const name = 'job statistics';
  if (!viewRefreshedAt) return { name, isGreen: false, text: 'never refreshed' };
  const ageMs = now.getTime() - viewRefreshedAt.getTime();
  const minutes = Math.floor(ageMs / 60_000);
  return { name, isGreen: ageMs < VIEW_OLD_MS, text: minutes === 0 ? 'refreshed within the last minute' : `refreshed ${minutes} min ago` };
}

function coverageLights({ coverage }: Facts): Light[] {
  return coverage.map(({ table, days, strays }) => ({
    name: `partitions of ${table}`,
    isGreen: days >= COVERAGE_LOW_DAYS && strays === 0,
    text: `cover ${days} days${strays > 0 ? `; ${strays} rows lie in the default partition` : ''}`,
  }));
}

function failuresLight({ unmended }: Facts): Light {
  const tasks = [...new Set(unmended.map(({ task }) => task))];
  return {
    name: 'runs',
    isGreen: tasks.length === 0,
    text: tasks.length === 0 ? 'no failure stands' : `failed and not succeeded since: ${tasks.join(', ')}`,
  };
}

/** New devices concern their owners; an attack on many concerns the admin. */
function attacksLight({ alerts }: Facts): Light {
  const attacks = alerts.filter(({ kind }) => kind !== 'new_device');
  return {
    name: 'sign-ins',
    isGreen: attacks.length === 0,
    text: attacks.length === 0 ? 'nothing out of the ordinary' : `${attacks.length} alerts stand, see below`,
  };
}

function scheduleLight(tasks: readonly TaskDto[], now: Date): Light {
  const waiting = tasks.filter(({ paused }) => !paused);
  const unscheduled = waiting.filter(({ nextRunAt }) => nextRunAt === null);
  const late = waiting.filter(({ nextRunAt }) => nextRunAt !== null && now.getTime() - nextRunAt.getTime() > LATE_MS);
  const paused = tasks.length - waiting.length;
  const reasons = [
    ...(unscheduled.length > 0 ? [`no worker has scheduled ${unscheduled.map(({ id }) => id).join(', ')}`] : []),
    ...(late.length > 0 ? [`no worker takes ${late.map(({ id }) => id).join(', ')}, which ${late.length === 1 ? 'is' : 'are'} due`] : []),
  ];
  const text = reasons.length > 0 ? reasons.join('; ') : `${waiting.length} tasks on schedule`;
  return { name: 'schedule', isGreen: reasons.length === 0, text: paused > 0 ? `${text}; ${paused} paused` : text };
}
