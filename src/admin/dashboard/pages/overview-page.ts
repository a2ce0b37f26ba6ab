import type { TaskDto } from '../../api/tasks/tasks.dto';
import type { HealthStatus } from '../overview/health-statuses';
import type { Overview } from '../overview/overview.service';
import { sparkline } from '../components/charts';
import { describeCron, runsTable } from '../components/run-components';
import {
  formatDuration,
  getRunDurationMs,
  html,
  livePart,
  type Markup,
  outcomeTag,
  tag,
  timestamp,
} from '../components/html';
import { signedInPage } from '../components/page';

/** Renders the live parts of the page, by name. */
export function overviewParts(overview: Overview): Record<string, Markup> {
  return {
    banner: banner(overview.statuses),
    statuses: html`<ul class="statuses">
      ${overview.statuses.map(statusItem)}
    </ul>`,
    tasks: html`<ul class="tasks">
      ${overview.tasks.map((task) => taskItem(task, overview))}
    </ul>`,
    queue: queueLine(overview),
    runs: runsTable('Latest runs of all tasks', overview.latestRuns),
  };
}

/** Renders the overview: health, scheduled tasks and their latest runs. */
export function overviewPage(overview: Overview, notice?: string): string {
  const parts = overviewParts(overview);
  const part = (name: string): Markup => livePart(name, parts[name] ?? html``);
  return signedInPage({
    title: 'Overview',
    section: '/admin',
    notice,
    live: 'overview',
    body: html`<h1 class="hidden">Overview</h1>
      <div aria-live="polite">${part('banner')}</div>
      ${part('statuses')}
      <h2>Scheduled tasks</h2>
      ${part('tasks')}
      <div class="row">
        <h2>Latest runs</h2>
        <a href="/admin/runs">All runs</a>
      </div>
      ${part('queue')}
      <div class="card">${part('runs')}</div>
      <noscript
        ><p class="muted">As of ${timestamp(overview.readAt)}. <a href="/admin">Refresh</a></p></noscript
      >`,
  });
}

function banner(statuses: readonly HealthStatus[]): Markup {
  const problems = statuses.filter(({ level }) => level !== 'good');
  if (problems.length === 0) {
    return html`<section class="banner good" aria-label="State">
      <strong>All is well.</strong> <span>All ${statuses.length} checks are OK.</span>
    </section>`;
  }
  const level =
    (['bad', 'warn', 'unknown'] as const).find((name) => problems.some((status) => status.level === name)) ?? 'unknown';
  const title = { bad: 'Something is failing', warn: 'Warning', unknown: 'Not everything could be checked' }[level];
  return html`<section class="banner ${level}" aria-label="State">
    <strong>${title}</strong>
    <ul>
      ${problems.map(({ name, text, href }) => html`<li><a href="${href}">${name}</a>: ${text}</li>`)}
    </ul>
  </section>`;
}

function statusItem({ name, level, text, href }: HealthStatus): Markup {
  const label = { good: 'OK', warn: 'Warning', bad: 'Failing', unknown: 'Unknown' }[level];
  return html`<li>
    <a class="status ${level}" href="${href}"
      ><span class="row"><b>${name}</b> ${tag(level, label)}</span> <span class="muted clip">${text}</span></a
    >
  </li>`;
}

function taskItem(task: TaskDto, { recentRuns: recent }: Overview): Markup {
  const { id, lastRun, paused } = task;
  const path = `/admin/tasks/${id}`;
  return html`<li class="card task">
    <div>
      <h3><a href="${path}">${id}</a> ${paused ? tag('warn', 'paused') : null}</h3>
      <p class="muted">${describeCron(task.cron)}</p>
    </div>
    <dl>
      <dt>Next</dt>
      <dd>${nextRunText(task)}</dd>
      <dt>Last</dt>
      <dd>
        ${lastRun === null ? html`<span class="muted">never</span>` : html`<a class="plain" href="/admin/runs/${lastRun.id}">${outcomeTag(lastRun)}</a> ${timestamp(lastRun.startedAt, true)}`}
      </dd>
      <dt>Duration</dt>
      <dd>${durationText(task)}</dd>
    </dl>
    ${sparkline(recent.filter((run) => run.task === id)) ?? html`<span></span>`}
    <p class="actions">
      <a class="button" href="${path}/run">Run now<span class="hidden"> ${id}</span></a>
      <a class="button subtle" href="${path}/${paused ? 'resume' : 'pause'}"
        >${paused ? 'Resume' : 'Pause'}<span class="hidden"> ${id}</span></a
      >
    </p>
  </li>`;
}

/** Renders the time of the next run, or the reason why it is unknown. */
export function nextRunText({ nextRunAt, paused }: TaskDto): Markup {
  if (paused) return html`<span class="muted">paused until it is resumed</span>`;
  return nextRunAt === null ? html`<span class="muted">no worker has scheduled it</span>` : timestamp(nextRunAt, true);
}

/** Renders the duration of the last run and the usual one. */
export function durationText({ lastRun, usualDurationMs }: TaskDto): Markup {
  const durationMs = lastRun && getRunDurationMs(lastRun);
  if (usualDurationMs === null) return html`${formatDuration(durationMs)}`;
  return html`${formatDuration(durationMs)}
    <span class="muted nowrap">usually ${formatDuration(usualDurationMs)}</span>`;
}

function queueLine({ queue }: Overview): Markup {
  const text =
    queue === null
      ? 'The queue does not answer'
      : `Queue: ${queue.waiting} waiting, ${queue.active} active, ${queue.delayed} due later, ${queue.failed} failed`;
  return html`<p class="muted">${text}. Skipped runs are not shown.</p>`;
}
