import { type TaskDto, type TaskRunDto } from '../../api/tasks/tasks.dto';
import type { RecentRun } from '../../api/tasks/tasks.queries';
import { durationsChart } from '../components/charts';
import { describeCron, runsTable } from '../components/run-components';
import { factList, html, livePart, type Markup, outcomeTag, tag, timestamp } from '../components/html';
import { signedInPage } from '../components/page';
import { nextRunText, durationText } from './overview-page';

/** The data of a task's page. */
export interface TaskView {
  readonly task: TaskDto;
  readonly recent: readonly RecentRun[];
  readonly runs: readonly TaskRunDto[];
}

/** Renders the live parts of the page, by name. */
export function taskParts({ task, recent, runs }: TaskView): Record<string, Markup> {
  const { lastRun } = task;
  return {
    state: factList([
      [
        'Schedule',
        html`${describeCron(task.cron)} <code>${task.cron}</code> <span class="muted">${task.timezone}</span>`,
      ],
      ['Next', nextRunText(task)],
      [
        'Last',
        lastRun === null
          ? html`<span class="muted">never</span>`
          : html`<a class="plain" href="/admin/runs/${lastRun.id}">${outcomeTag(lastRun)}</a>
              ${timestamp(lastRun.startedAt, true)}`,
      ],
      ['Duration', durationText(task)],
      ['If missed', task.whatAMissMeans],
    ]),
    chart: durationsChart(recent, task.usualDurationMs),
    runs: runsTable('Latest runs', runs),
  };
}

/** Renders the page of a task: schedule, durations, runs and actions. */
export function taskPage(view: TaskView, notice?: string): string {
  const { id, description, paused } = view.task;
  const parts = taskParts(view);
  const part = (name: string): Markup => livePart(name, parts[name] ?? html``);
  return signedInPage({
    title: id,
    section: '/admin',
    notice,
    live: `task:${id}`,
    body: html`<p class="breadcrumbs"><a href="/admin">Overview</a> / tasks</p>
      <h1>${id} ${paused ? tag('warn', 'paused') : null}</h1>
      <p>${description}</p>
      <div class="card">
        ${part('state')}
        <p class="actions">
          <a class="button main" href="/admin/tasks/${id}/run">Run now</a>
          <a class="button" href="/admin/tasks/${id}/${paused ? 'resume' : 'pause'}">${paused ? 'Resume' : 'Pause'}</a>
        </p>
      </div>
      <h2>Durations</h2>
      <div class="card">${part('chart')}</div>
      <h2>Runs</h2>
      <div class="card">${part('runs')}</div>
      <p><a href="/admin/runs?task=${id}">Run history</a></p>`,
  });
}
