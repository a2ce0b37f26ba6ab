import { RETRYABLE, type FailedAttemptDto, type TaskRunDto } from '../../api/tasks/tasks.dto';
import {
  factList,
  formatDuration,
  getRunDurationMs,
  html,
  livePart,
  type Markup,
  outcomeTag,
  table,
  timestamp,
} from '../components/html';
import { signedInPage } from '../components/page';
import { startedByText } from '../components/run-components';

/** Reload interval of an unfinished run in browsers without scripts. */
const RELOAD_SECONDS = 2;

/** The data of a run's page. */
export interface RunView {
  readonly run: TaskRunDto;
  readonly usualDurationMs: number | null;
  /** The id of its retry. */
  readonly retriedBy: number | null;
}

/** Renders the live parts of the page, by name. */
export function runParts(view: RunView): Record<string, Markup> {
  return { run: html`${runFacts(view)}${errorSection(view)}${resultSection(view)}${retryLink(view)}` };
}

/** Renders the page of a run: state, errors, result and actions. */
export function runPage(view: RunView, notice?: string): string {
  const { id, task, outcome } = view.run;
  const isOpen = outcome === 'queued' || outcome === 'running' || outcome === 'retrying';
  return signedInPage({
    title: `Run ${id}`,
    section: '/admin/runs',
    notice,
    live: `run:${id}`,
    reloadSeconds: isOpen ? RELOAD_SECONDS : undefined,
    body: html`<p class="breadcrumbs"><a href="/admin/runs">Runs</a> / <a href="/admin/tasks/${task}">${task}</a></p>
      <h1>Run ${id}</h1>
      <div class="card">${livePart('run', runParts(view)['run'] ?? html``)}</div>`,
  });
}

function runFacts({ run, usualDurationMs }: RunView): Markup {
  const durationMs = getRunDurationMs(run);
  return factList([
    ['Outcome', html`<span role="status">${outcomeTag(run)}</span>`],
    ['Task', html`<a href="/admin/tasks/${run.task}">${run.task}</a>`],
    ['Started by', startedByText(run)],
    ...(run.scheduledFor === null ? [] : ([['Due', timestamp(run.scheduledFor)]] as const)),
    ['Started', timestamp(getFirstStartedAt(run))],
    ['Ended', timestamp(run.endedAt)],
    [
      'Duration',
      html`${formatDuration(durationMs)}${usualDurationMs === null ? null : html` <span class="muted">usually ${formatDuration(usualDurationMs)}</span>`}`,
    ],
    ['Attempts', run.attempts],
  ]);
}

function errorSection({ run }: RunView): Markup | null {
  if (run.failedAttempts.length > 1 || (run.failedAttempts.length === 1 && run.attempts > 1)) return attemptsTable(run);
  if (run.error === null) return null;
  return html`<h2>Error</h2>
    <pre class="error" tabindex="0">${run.error}</pre>`;
}

function attemptsTable({ failedAttempts }: TaskRunDto): Markup {
  const columns = [
    { head: 'Attempt', cell: ({ attempt }: FailedAttemptDto) => attempt },
    { head: 'Started', cell: ({ startedAt }: FailedAttemptDto) => timestamp(new Date(startedAt)) },
    { head: 'Ended', cell: ({ endedAt }: FailedAttemptDto) => timestamp(new Date(endedAt)) },
    { head: 'Error', cell: ({ error }: FailedAttemptDto) => html`<span class="error">${error}</span>` },
  ];
  return html`<h2>Failed attempts</h2>
    ${table('Failed attempts, oldest first', columns, failedAttempts, 'None')}`;
}

function resultSection({ run }: RunView): Markup | null {
  const entries = Object.entries(run.figures ?? {});
  if (entries.length === 0) return null;
  return html`<h2>Result</h2>
    ${factList(entries.map(([name, value]) => [name, String(value)] as const))}`;
}

function retryLink({ run, retriedBy }: RunView): Markup | null {
  if (retriedBy !== null) return html`<p>Retried as <a href="/admin/runs/${retriedBy}">run ${retriedBy}</a>.</p>`;
  if (!RETRYABLE.has(run.outcome)) return null;
  return html`<p class="actions"><a class="button main" href="/admin/runs/${run.id}/retry">Retry</a></p>`;
}

/** Returns the start of the first attempt. */
function getFirstStartedAt({ failedAttempts, startedAt }: TaskRunDto): Date | null {
  return failedAttempts[0] ? new Date(failedAttempts[0].startedAt) : startedAt;
}
