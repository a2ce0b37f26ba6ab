import { accessAlertAdvice, accessAlertText } from '../../auth/access-alert-mail';
import type { ShownAlert } from '../access-alerts.service';
import type { TaskDto } from '../dto/task.dto';
import type { RunOutcome, TaskRunDto } from '../dto/task-run.dto';
import type { Light, Overview } from '../overview.service';
import { cronText } from './cron-text';
import { html, type Markup } from './html';

const TONES: Readonly<Record<RunOutcome, string>> = {
  queued: 'wait',
  running: 'wait',
  retrying: 'wait',
  succeeded: 'good',
  skipped: 'good',
  failed: 'bad',
  timed_out: 'bad',
};

/** Seconds after which a page that waits for a run loads itself again. */
const RELOAD_SECONDS = 2;

/** The form that asks an admin who he is. */
export function signInPage({ email, problem }: { email?: string; problem?: string } = {}): string {
  return page(
    'Sign in',
    html`<main class="narrow card">
      <h1>Gigvault</h1>
      ${problem === undefined ? null : html`<p class="banner bad" role="alert">${problem}</p>`}
      <form method="post" action="/admin/sign-in">
        <label>E-mail <input name="email" type="email" autocomplete="username" required autofocus value="${email}" /></label>
        <label>Password <input name="password" type="password" autocomplete="current-password" required /></label>
        <button class="main">Sign in</button>
      </form>
      <p class="dim">For admins of this installation. Every visit is on record.</p>
    </main>`,
  );
}

/** The second step of signing in. */
export function codePage({ mfaToken, problem }: { mfaToken: string; problem?: string }): string {
  return page(
    'Sign in',
    html`<main class="narrow card">
      <h1>Gigvault</h1>
      ${problem === undefined ? null : html`<p class="banner bad" role="alert">${problem}</p>`}
      <form method="post" action="/admin/sign-in/code">
        <input type="hidden" name="mfaToken" value="${mfaToken}" />
        <label>Code of your authenticator, or a backup code
          <input name="code" autocomplete="one-time-code" required autofocus maxlength="64" /></label>
        <button class="main">Sign in</button>
      </form>
      <p class="dim"><a href="/admin/sign-in">Begin anew</a></p>
    </main>`,
  );
}

/** Asks an admin to show his second factor again. */
export function confirmPage(problem?: string): string {
  return page(
    'Confirm who you are',
    html`<main class="narrow card">
      <h1>Gigvault</h1>
      ${problem === undefined ? html`<p>You showed your second factor more than ten minutes ago.</p>` : html`<p class="banner bad" role="alert">${problem}</p>`}
      <form method="post" action="/admin/confirm">
        <label>Password <input name="password" type="password" autocomplete="current-password" required autofocus /></label>
        <label>Code of your authenticator, or a backup code
          <input name="code" autocomplete="one-time-code" required maxlength="64" /></label>
        <button class="main">Go on</button>
      </form>
      <form method="post" action="/admin/sign-out"><button>Sign out</button></form>
    </main>`,
  );
}

/** What went wrong, with a way back. */
export function problemPage(title: string, detail: string | undefined, requestId: string): string {
  return page(
    title,
    html`<main class="narrow card">
      <h1>${title}</h1>
      <p>${detail}</p>
      <p class="dim">Request ${requestId}</p>
      <p><a href="/admin">Back to the dashboard</a></p>
    </main>`,
  );
}

/** The one page: green, or the reason why not; then the tasks and what they did. */
export function overviewPage({ at, lights, tasks, runs, alerts, queue }: Overview, notice?: string): string {
  const isWaiting = notice !== undefined && runs.some(({ outcome }) => outcome === 'queued' || outcome === 'running');
  return page(
    'Dashboard',
    html`<header>
        <h1>Gigvault</h1>
        <a href="/admin">Refresh</a> <a href="/admin/queues">Queue</a> <a href="/docs">API</a>
        <form method="post" action="/admin/sign-out"><button>Sign out</button></form>
      </header>
      <main>
        ${notice === undefined ? null : html`<p class="banner" role="status">${notice}</p>`} ${banner(lights)}
        <p class="dim">As of ${moment(at)}, UTC.</p>
        <h2>Health</h2>
        <ul class="grid">
          ${lights.map(lightItem)}
        </ul>
        <h2>Scheduled tasks</h2>
        <ul class="grid">
          ${tasks.map(taskItem)}
        </ul>
        ${alertsPart(alerts)}
        <h2>Latest runs</h2>
        <p class="dim">
          Runs that found nothing to do are left out.
          ${queue === null ? 'The queue does not answer.' : `Queue: ${queue.waiting} waiting, ${queue.active} active, ${queue.delayed} delayed, ${queue.failed} failed.`}
        </p>
        <div class="card">${runsTable(runs)}</div>
      </main>
      <footer class="dim">What you do here is kept in the security log, with your reason.</footer>`,
    isWaiting ? RELOAD_SECONDS : undefined,
  );
}

function banner(lights: readonly Light[]): Markup {
  const reasons = lights.filter(({ isGreen }) => !isGreen);
  if (reasons.length === 0) return html`<p class="banner good">All is well.</p>`;
  return html`<div class="banner bad" role="alert">
    Something needs you:
    <ul>
      ${reasons.map(({ name, text }) => html`<li>${name}: ${text}</li>`)}
    </ul>
  </div>`;
}

function lightItem({ name, isGreen, text }: Light): Markup {
  return html`<li class="card">
    <div class="row"><h3>${name}</h3> ${tag(isGreen ? 'good' : 'bad', isGreen ? 'ok' : 'look')}</div>
    <p class="dim">${text}</p>
  </li>`;
}

function alertsPart(alerts: readonly ShownAlert[]): Markup | null {
  if (alerts.length === 0) return null;
  return html`<h2>Sign-ins out of the ordinary</h2>
    <ul class="grid">
      ${alerts.map(alertItem)}
    </ul>`;
}

function alertItem(alert: ShownAlert): Markup {
  return html`<li class="card">
    <div class="row"><h3>${alert.userId === null ? 'installation' : `user ${alert.userId}`}</h3> ${tag(alert.kind === 'new_device' ? 'wait' : 'bad', alert.kind)}</div>
    <p>${accessAlertText(alert)}</p>
    <p class="dim">${moment(alert.createdAt)} · ${accessAlertAdvice(alert)}</p>
    <details>
      <summary>Dismiss</summary>
      <form method="post" action="/admin/alerts/${alert.id}/dismiss">
        <label>Reason <input name="reason" required maxlength="500" autocomplete="off" /></label>
        <div class="buttons"><button class="main">Dismiss</button></div>
      </form>
    </details>
  </li>`;
}

function taskItem(task: TaskDto): Markup {
  const { id, lastRun } = task;
  const action = `/admin/tasks/${id}`;
  return html`<li class="card">
    <div class="row"><h3>${id}</h3> ${task.paused ? tag('wait', 'paused') : null}</div>
    <p class="dim">${task.description}</p>
    <dl>
      <dt>Runs</dt><dd>${cronText(task.cron)} (<code>${task.cron}</code> ${task.timezone})</dd>
      <dt>Next</dt><dd>${task.nextRunAt === null ? (task.paused ? 'paused' : 'not scheduled: no worker has started') : moment(task.nextRunAt)}</dd>
      <dt>Last</dt><dd>${lastRun === null ? 'never' : html`${tag(TONES[lastRun.outcome], lastRun.outcome)} ${lastRun.startedAt && moment(lastRun.startedAt)}`}</dd>
      <dt>Took</dt><dd>${lastRun === null ? '–' : durationOf(lastRun)}, usually ${milliseconds(task.usualDurationMs)}</dd>
      <dt>A miss</dt><dd>${task.whatAMissMeans}</dd>
    </dl>
    ${lastRun?.error ? html`<p class="error">${lastRun.error}</p>` : null}
    <details>
      <summary>Run now or ${task.paused ? 'resume' : 'pause'}</summary>
      <form method="post" action="${action}/run">
        <label>Reason <input name="reason" required maxlength="500" autocomplete="off" /></label>
        <div class="buttons">
          <button class="main">Run now</button>
          ${task.paused ? html`<button formaction="${action}/resume">Resume</button>` : html`<button formaction="${action}/pause">Pause</button>`}
        </div>
      </form>
    </details>
  </li>`;
}

function runsTable(runs: readonly TaskRunDto[]): Markup {
  if (runs.length === 0) return html`<p>No task has run yet.</p>`;
  return html`<table>
    <thead>
      <tr><th scope="col">Run</th><th scope="col">Task</th><th scope="col">Outcome</th><th scope="col">Started</th><th scope="col">Took</th><th scope="col">By</th><th scope="col">Tells</th></tr>
    </thead>
    <tbody>
      ${runs.map(runRow)}
    </tbody>
  </table>`;
}

function runRow(run: TaskRunDto): Markup {
  const by = run.startedBy === 'admin' ? `admin ${run.startedById}` : run.startedBy;
  return html`<tr>
    <td data-label="Run">${run.id}${run.retryOf === null ? null : html` (retry of ${run.retryOf})`}</td>
    <td data-label="Task">${run.task}</td>
    <td data-label="Outcome">${tag(TONES[run.outcome], run.outcome)}${run.attempts > 1 ? html` ×${run.attempts}` : null}</td>
    <td data-label="Started">${run.startedAt && moment(run.startedAt)}</td>
    <td data-label="Took">${durationOf(run)}</td>
    <td data-label="By">${by}</td>
    <td data-label="Tells">${run.error === null ? figuresOf(run) : html`<span class="error">${run.error}</span>`}${retryForm(run)}</td>
  </tr>`;
}

function retryForm({ id, outcome }: TaskRunDto): Markup | null {
  if (outcome !== 'failed' && outcome !== 'timed_out') return null;
  return html`<details>
    <summary>Retry</summary>
    <form method="post" action="/admin/runs/${id}/retry">
      <label>Reason <input name="reason" required maxlength="500" autocomplete="off" /></label>
      <div class="buttons"><button class="main">Retry run ${id}</button></div>
    </form>
  </details>`;
}

function figuresOf({ figures }: TaskRunDto): string {
  return Object.entries(figures ?? {})
    .map(([name, value]) => `${name}: ${String(value)}`)
    .join(', ');
}

function durationOf({ startedAt, endedAt }: TaskRunDto): string {
  return milliseconds(startedAt && endedAt ? endedAt.getTime() - startedAt.getTime() : null);
}

function milliseconds(value: number | null): string {
  if (value === null) return '–';
  return value < 1_000 ? `${Math.round(value)} ms` : `${(value / 1_000).toFixed(1)} s`;
}

function moment(at: Date): Markup {
  const text = at.toISOString();
  return html`<time datetime="${text}">${text.slice(0, 19).replace('T', ' ')}</time>`;
}

function tag(tone: string, text: string): Markup {
  return html`<span class="tag ${tone}">${text.replace('_', ' ')}</span>`;
}

function page(title: string, body: Markup, reloadSeconds?: number): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        ${reloadSeconds === undefined ? null : html`<meta http-equiv="refresh" content="${reloadSeconds}" />`}
        <title>${title} · Gigvault</title>
        <link rel="stylesheet" href="/admin/style.css" />
      </head>
      <body>
        ${body}
      </body>
    </html>`.text;
}
