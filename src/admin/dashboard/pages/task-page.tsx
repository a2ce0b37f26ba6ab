import type { VNode } from 'preact';
import { type TaskDto, type TaskRunDto, RETRYABLE, type FailedAttemptDto } from '../../api/tasks/tasks.dto';
import type { RecentRun } from '../../api/tasks/tasks.queries';
import { DurationsChart } from '../components/charts';
import { FactList, LivePart, Tag, SignedInPage, type Column, type Fact, Table, Timestamp } from '../components/page';
import { describeCron, formatDuration, getRunDurationMs } from '../components/format';
import { RunsTable, OutcomeTag, StartedBy } from '../components/run-components';
import { LastDuration, LastRun, NextRun } from './overview-page';

/** The data of a task's page. */
export interface TaskView {
  readonly task: TaskDto;
  readonly recent: readonly RecentRun[];
  readonly runs: readonly TaskRunDto[];
}

/** Returns the live parts of the page, by name. */
export function taskParts({ task, recent, runs }: TaskView): Record<'state' | 'chart' | 'runs', VNode> {
  return {
    state: <TaskState task={task} />,
    chart: <DurationsChart runs={recent} usualMs={task.usualDurationMs} />,
    runs: <RunsTable caption="Latest runs" runs={runs} />,
  };
}

function TaskState({ task }: { task: TaskDto }): VNode {
  const schedule = (
    <>
      {describeCron(task.cron)} <code>{task.cron}</code> <span class="muted">{task.timezone}</span>
    </>
  );
  return (
    <FactList
      facts={[
        ['Schedule', schedule],
        ['Next', <NextRun task={task} />],
        ['Last', <LastRun task={task} />],
        ['Duration', <LastDuration task={task} />],
        ['If missed', task.missedRunImpact],
      ]}
    />
  );
}

/** Renders the page of a task: schedule, durations, runs and actions. */
export function TaskPage({ view, notice }: { view: TaskView; notice?: string }): VNode {
  const { id, description, paused } = view.task;
  const { state, chart, runs } = taskParts(view);
  return (
    <SignedInPage title={id} section="/admin" notice={notice} live={`task:${id}`}>
      <p class="breadcrumbs">
        <a href="/admin">Overview</a> / tasks
      </p>
      <h1>
        {id} {paused && <Tag tone="warn" text="paused" />}
      </h1>
      <p>{description}</p>
      <div class="card">
        <LivePart name="state">{state}</LivePart>
        <p class="actions">
          <a class="button main" href={`/admin/tasks/${id}/run`}>
            Run now
          </a>{' '}
          <a class="button" href={`/admin/tasks/${id}/${paused ? 'resume' : 'pause'}`}>
            {paused ? 'Resume' : 'Pause'}
          </a>
        </p>
      </div>
      <h2>Durations</h2>
      <div class="card">
        <LivePart name="chart">{chart}</LivePart>
      </div>
      <h2>Runs</h2>
      <div class="card">
        <LivePart name="runs">{runs}</LivePart>
      </div>
      <p>
        <a href={`/admin/runs?task=${id}`}>Run history</a>
      </p>
    </SignedInPage>
  );
}

/** Reload interval of an unfinished run in browsers without scripts. */
const RELOAD_SECONDS = 2;

/** The data of a run's page. */
export interface RunView {
  readonly run: TaskRunDto;
  readonly usualDurationMs: number | null;
  /** The id of its retry. */
  readonly retriedBy: number | null;
}

/** Returns the live parts of the page, by name. */
export function runParts(view: RunView): Record<'run', VNode> {
  return {
    run: (
      <>
        <RunFacts {...view} />
        <RunErrors {...view} />
        <RunResult {...view} />
        <RetryLink {...view} />
      </>
    ),
  };
}

/** Renders the page of a run: state, errors, result and actions. */
export function RunPage({ view, notice }: { view: RunView; notice?: string }): VNode {
  const { id, task, outcome } = view.run;
  const isOpen = outcome === 'queued' || outcome === 'running' || outcome === 'retrying';
  return (
    <SignedInPage
      title={`Run ${id}`}
      section="/admin/runs"
      notice={notice}
      live={`run:${id}`}
      reloadSeconds={isOpen ? RELOAD_SECONDS : undefined}
    >
      <p class="breadcrumbs">
        <a href="/admin/runs">Runs</a> / <a href={`/admin/tasks/${task}`}>{task}</a>
      </p>
      <h1>Run {id}</h1>
      <div class="card">
        <LivePart name="run">{runParts(view).run}</LivePart>
      </div>
    </SignedInPage>
  );
}

function RunFacts({ run, usualDurationMs }: RunView): VNode {
  const outcome = (
    <span role="status">
      <OutcomeTag run={run} />
    </span>
  );
  const due: readonly Fact[] = run.scheduledFor === null ? [] : [['Due', <Timestamp at={run.scheduledFor} />]];
  return (
    <FactList
      facts={[
        ['Outcome', outcome],
        ['Task', <a href={`/admin/tasks/${run.task}`}>{run.task}</a>],
        ['Started by', <StartedBy run={run} />],
        ...due,
        ['Started', <Timestamp at={getFirstStartedAt(run)} />],
        ['Ended', <Timestamp at={run.endedAt} />],
        ['Duration', <RunDuration run={run} usualDurationMs={usualDurationMs} />],
        ['Attempts', run.attempts],
      ]}
    />
  );
}

function RunDuration({ run, usualDurationMs }: Pick<RunView, 'run' | 'usualDurationMs'>): VNode {
  return (
    <>
      {formatDuration(getRunDurationMs(run))}{' '}
      {usualDurationMs !== null && <span class="muted">usually {formatDuration(usualDurationMs)}</span>}
    </>
  );
}

function RunErrors({ run }: RunView): VNode | null {
  const { failedAttempts, attempts, error } = run;
  if (failedAttempts.length > 1 || (failedAttempts.length === 1 && attempts > 1)) return <FailedAttempts {...run} />;
  if (error === null) return null;
  return (
    <>
      <h2>Error</h2>
      <pre class="error" tabindex={0}>
        {error}
      </pre>
    </>
  );
}

const ATTEMPT_COLUMNS: readonly Column<FailedAttemptDto>[] = [
  { head: 'Attempt', cell: ({ attempt }) => attempt },
  { head: 'Started', cell: ({ startedAt }) => <Timestamp at={new Date(startedAt)} /> },
  { head: 'Ended', cell: ({ endedAt }) => <Timestamp at={new Date(endedAt)} /> },
  { head: 'Error', cell: ({ error }) => <span class="error">{error}</span> },
];

function FailedAttempts({ failedAttempts }: TaskRunDto): VNode {
  return (
    <>
      <h2>Failed attempts</h2>
      <Table caption="Failed attempts, oldest first" columns={ATTEMPT_COLUMNS} rows={failedAttempts} empty="None" />
    </>
  );
}

function RunResult({ run }: RunView): VNode | null {
  const entries = Object.entries(run.figures ?? {});
  if (entries.length === 0) return null;
  return (
    <>
      <h2>Result</h2>
      <FactList facts={entries.map(([name, value]) => [name, String(value)] as const)} />
    </>
  );
}

function RetryLink({ run, retriedBy }: RunView): VNode | null {
  if (retriedBy !== null) {
    return (
      <p>
        Retried as <a href={`/admin/runs/${retriedBy}`}>run {retriedBy}</a>.
      </p>
    );
  }
  if (!RETRYABLE.has(run.outcome)) return null;
  return (
    <p class="actions">
      <a class="button main" href={`/admin/runs/${run.id}/retry`}>
        Retry
      </a>
    </p>
  );
}

/** Returns the start of the first attempt. */
function getFirstStartedAt({ failedAttempts, startedAt }: TaskRunDto): Date | null {
  return failedAttempts[0] ? new Date(failedAttempts[0].startedAt) : startedAt;
}
