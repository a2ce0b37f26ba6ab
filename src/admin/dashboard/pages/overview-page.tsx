import type { VNode } from 'preact';
import type { TaskDto } from '../../api/tasks/tasks.dto';
import type { HealthStatus } from '../overview/health-statuses';
import type { Overview } from '../overview/overview.service';
import { Sparkline } from '../components/charts';
import { LivePart, Tag, Timestamp, SignedInPage } from '../components/page';
import { describeCron, formatDuration, getRunDurationMs } from '../components/format';
import { OutcomeTag, RunsTable } from '../components/run-components';

type PartName = 'banner' | 'statuses' | 'tasks' | 'queue' | 'runs';

/** Returns the live parts of the page, by name. */
export function overviewParts(overview: Overview): Record<PartName, VNode> {
  return {
    banner: <Banner statuses={overview.statuses} />,
    statuses: (
      <ul class="statuses">
        {overview.statuses.map((status) => (
          <StatusItem {...status} />
        ))}
      </ul>
    ),
    tasks: (
      <ul class="tasks">
        {overview.tasks.map((task) => (
          <TaskItem task={task} overview={overview} />
        ))}
      </ul>
    ),
    queue: <QueueLine queue={overview.queue} />,
    runs: <RunsTable caption="Latest runs of all tasks" runs={overview.latestRuns} />,
  };
}

/** Renders the overview: health, scheduled tasks and their latest runs. */
export function OverviewPage({ overview, notice }: { overview: Overview; notice?: string }): VNode {
  const { banner, statuses, tasks, queue, runs } = overviewParts(overview);
  return (
    <SignedInPage title="Overview" section="/admin" notice={notice} live="overview">
      <h1 class="hidden">Overview</h1>
      <div aria-live="polite">
        <LivePart name="banner">{banner}</LivePart>
      </div>
      <LivePart name="statuses">{statuses}</LivePart>
      <h2>Scheduled tasks</h2>
      <LivePart name="tasks">{tasks}</LivePart>
      <div class="row">
        <h2>Latest runs</h2> <a href="/admin/runs">All runs</a>
      </div>
      <LivePart name="queue">{queue}</LivePart>
      <div class="card">
        <LivePart name="runs">{runs}</LivePart>
      </div>
      {overview.hasMailPage && (
        <p>
          <a href="/admin/mail">Emails of the local outbox</a>
        </p>
      )}
      <noscript>
        <p class="muted">
          As of <Timestamp at={overview.readAt} />. <a href="/admin">Refresh</a>
        </p>
      </noscript>
    </SignedInPage>
  );
}

function Banner({ statuses }: { statuses: readonly HealthStatus[] }): VNode {
  const problems = statuses.filter(({ level }) => level !== 'good');
  if (problems.length === 0) {
    return (
      <section class="banner good" aria-label="State">
        <strong>All is well.</strong> <span>All {statuses.length} checks are OK.</span>
      </section>
    );
  }
  const level =
    (['bad', 'warn', 'unknown'] as const).find((name) => problems.some((status) => status.level === name)) ?? 'unknown';
  const title = { bad: 'Something is failing', warn: 'Warning', unknown: 'Not everything could be checked' }[level];
  return (
    <section class={`banner ${level}`} aria-label="State">
      <strong>{title}</strong>
      <ul>
        {problems.map(({ name, text, href }) => (
          <li>
            <a href={href}>{name}</a>: {text}
          </li>
        ))}
      </ul>
    </section>
  );
}

function StatusItem({ name, level, text, href }: HealthStatus): VNode {
  const label = { good: 'OK', warn: 'Warning', bad: 'Failing', unknown: 'Unknown' }[level];
  return (
    <li>
      <a class={`status ${level}`} href={href}>
        <span class="row">
          <b>{name}</b> <Tag tone={level} text={label} />
        </span>{' '}
        <span class="muted clip">{text}</span>
      </a>
    </li>
  );
}

function TaskItem({ task, overview }: { task: TaskDto; overview: Overview }): VNode {
  const { id, cron, paused } = task;
  return (
    <li class="card task">
      <div>
        <h3>
          <a href={`/admin/tasks/${id}`}>{id}</a> {paused && <Tag tone="warn" text="paused" />}
        </h3>
        <p class="muted">{describeCron(cron)}</p>
      </div>
      <dl>
        <dt>Next</dt>
        <dd>
          <NextRun task={task} />
        </dd>
        <dt>Last</dt>
        <dd>
          <LastRun task={task} />
        </dd>
        <dt>Duration</dt>
        <dd>
          <LastDuration task={task} />
        </dd>
      </dl>
      <Sparkline runs={overview.recentRuns.filter((run) => run.task === id)} />
      <TaskActions task={task} />
    </li>
  );
}

function TaskActions({ task: { id, paused } }: { task: TaskDto }): VNode {
  return (
    <p class="actions">
      <a class="button" href={`/admin/tasks/${id}/run`}>
        Run now<span class="hidden"> {id}</span>
      </a>{' '}
      <a class="button subtle" href={`/admin/tasks/${id}/${paused ? 'resume' : 'pause'}`}>
        {paused ? 'Resume' : 'Pause'}
        <span class="hidden"> {id}</span>
      </a>
    </p>
  );
}

/** Renders the time of the next run, or the reason why it is unknown. */
export function NextRun({ task: { nextRunAt, paused } }: { task: TaskDto }): VNode {
  if (paused) return <span class="muted">paused until it is resumed</span>;
  if (nextRunAt === null) return <span class="muted">no worker has scheduled it</span>;
  return <Timestamp at={nextRunAt} isRelative />;
}

/** Renders the outcome and the start of the last run. */
export function LastRun({ task: { lastRun } }: { task: TaskDto }): VNode {
  if (lastRun === null) return <span class="muted">never</span>;
  return (
    <>
      <a class="plain" href={`/admin/runs/${lastRun.id}`}>
        <OutcomeTag run={lastRun} />
      </a>{' '}
      <Timestamp at={lastRun.startedAt} isRelative />
    </>
  );
}

/** Renders the duration of the last run and the usual one. */
export function LastDuration({ task: { lastRun, usualDurationMs } }: { task: TaskDto }): VNode {
  return (
    <>
      {formatDuration(lastRun && getRunDurationMs(lastRun))}
      {usualDurationMs !== null && (
        <>
          {' '}
          <span class="muted nowrap">usually {formatDuration(usualDurationMs)}</span>
        </>
      )}
    </>
  );
}

function QueueLine({ queue }: Pick<Overview, 'queue'>): VNode {
  const text =
    queue === null
      ? 'The queue does not answer'
      : `Queue: ${queue.waiting} waiting, ${queue.active} active, ${queue.delayed} due later, ${queue.failed} failed`;
  return <p class="muted">{text}. Skipped runs are not shown.</p>;
}
