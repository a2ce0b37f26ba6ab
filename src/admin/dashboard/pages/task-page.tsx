import type { VNode } from 'preact';
import type { TaskDto, TaskRunDto } from '../../api/tasks/tasks.dto';
import type { RecentRun } from '../../api/tasks/tasks.queries';
import { DurationsChart } from '../components/charts';
import { FactList, LivePart, Tag, SignedInPage } from '../components/page';
import { describeCron } from '../components/format';
import { RunsTable } from '../components/run-components';
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
