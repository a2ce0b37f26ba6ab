import { RETRYABLE, type FailedAttemptDto, type TaskRunDto } from '../../dto/task-run.dto';
import { html, type Markup } from '../html';
import { signedInPage } from '../layout';
import { duration, facts, live, moment, outcomeTag, table, tookMs } from '../widgets';
import { startedBy } from '../runs-table';

/** Without a script, a run that is not over is looked at again after so many seconds. */
const RELOAD_SECONDS = 2;

/** One run with what belongs to it. */
export interface ShownRun {
  readonly run: TaskRunDto;
  readonly usualDurationMs: number | null;
  /** The run made in its place. */
  readonly retriedBy: number | null;
}

/** The parts of the page that are shown live, by their names. */
export function runParts(shown: ShownRun): Record<string, Markup> {
  return { run: html`${stateOf(shown)}${errorOf(shown)}${figuresOf(shown)}${actsOf(shown)}` };
}

/** One run: how it stands, what it tells, and what can be done about it. */
export function runPage(shown: ShownRun, notice?: string): string {
  const { id, task, outcome } = shown.run;
  const isOpen = outcome === 'queued' || outcome === 'running' || outcome === 'retrying';
  return signedInPage({
    title: `Run ${id}`,
    section: '/admin/runs',
    notice,
    live: `run:${id}`,
    reloadSeconds: isOpen ? RELOAD_SECONDS : undefined,
    body: html`<p class="crumbs"><a href="/admin/runs">Runs</a> / <a href="/admin/tasks/${task}">${task}</a></p>
      <h1>Run ${id}</h1>
      <div class="card">${live('run', runParts(shown)['run'] ?? html``)}</div>`,
  });
}

function stateOf({ run, usualDurationMs }: ShownRun): Markup {
  const took = tookMs(run);
  return facts([
    ['Outcome', html`<span role="status">${outcomeTag(run)}</span>`],
    ['Task', html`<a href="/admin/tasks/${run.task}">${run.task}</a>`],
    ['Started by', startedBy(run)],
    ...(run.scheduledFor === null ? [] : ([['Due', moment(run.scheduledFor)]] as const)),
    ['Started', moment(firstStart(run))],
    ['Ended', moment(run.endedAt)],
    [
      'Duration',
      html`${duration(took)}${usualDurationMs === null ? null : html` <span class="dim">usually ${duration(usualDurationMs)}</span>`}`,
    ],
    ['Attempts', run.attempts],
  ]);
}

function errorOf({ run }: ShownRun): Markup | null {
  if (run.failedAttempts.length > 1 || (run.failedAttempts.length === 1 && run.attempts > 1)) return attemptsOf(run);
  if (run.error === null) return null;
  return html`<h2>What went wrong</h2>
    <pre class="error" tabindex="0">${run.error}</pre>`;
}

function attemptsOf({ failedAttempts }: TaskRunDto): Markup {
  const columns = [
    { head: 'Attempt', cell: ({ attempt }: FailedAttemptDto) => attempt },
    { head: 'Started', cell: ({ startedAt }: FailedAttemptDto) => moment(new Date(startedAt)) },
    { head: 'Ended', cell: ({ endedAt }: FailedAttemptDto) => moment(new Date(endedAt)) },
    { head: 'Error', cell: ({ error }: FailedAttemptDto) => html`<span class="error">${error}</span>` },
  ];
  return html`<h2>Failed attempts</h2>
    ${table('Attempts that failed, oldest first', columns, failedAttempts, 'None')}`;
}

function figuresOf({ run }: ShownRun): Markup | null {
  const entries = Object.entries(run.figures ?? {});
  if (entries.length === 0) return null;
  return html`<h2>Result</h2>
    ${facts(entries.map(([name, value]) => [name, String(value)] as const))}`;
}

function actsOf({ run, retriedBy }: ShownRun): Markup | null {
  if (retriedBy !== null) return html`<p>Retried as <a href="/admin/runs/${retriedBy}">run ${retriedBy}</a>.</p>`;
  if (!RETRYABLE.has(run.outcome)) return null;
  return html`<p class="acts"><a class="button main" href="/admin/runs/${run.id}/retry">Retry</a></p>`;
}

/** Returns when the run started: its first attempt, not its last. */
function firstStart({ failedAttempts, startedAt }: TaskRunDto): Date | null {
  return failedAttempts[0] ? new Date(failedAttempts[0].startedAt) : startedAt;
}
