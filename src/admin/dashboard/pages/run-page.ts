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

/** Without a script, a run that is not over is looked at again after so many seconds. */
const RELOAD_SECONDS = 2;

/** One run with what belongs to it. */
export interface RunView {
  readonly run: TaskRunDto;
  readonly usualDurationMs: number | null;
  /** The run made in its place. */
  readonly retriedBy: number | null;
}

/** The parts of the page that are shown live, by their names. */
export function runParts(shown: RunView): Record<string, Markup> {
  return { run: html`${runFacts(shown)}${errorSection(shown)}${resultSection(shown)}${retryLink(shown)}` };
}

/** One run: how it stands, what it tells, and what can be done about it. */
export function runPage(shown: RunView, notice?: string): string {
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
      <div class="card">${livePart('run', runParts(shown)['run'] ?? html``)}</div>`,
  });
}

function runFacts({ run, usualDurationMs }: RunView): Markup {
  const took = getRunDurationMs(run);
  return factList([
    ['Outcome', html`<span role="status">${outcomeTag(run)}</span>`],
    ['Task', html`<a href="/admin/tasks/${run.task}">${run.task}</a>`],
    ['Started by', startedByText(run)],
    ...(run.scheduledFor === null ? [] : ([['Due', timestamp(run.scheduledFor)]] as const)),
    ['Started', timestamp(getFirstStartedAt(run))],
    ['Ended', timestamp(run.endedAt)],
    [
      'Duration',
      html`${formatDuration(took)}${usualDurationMs === null ? null : html` <span class="dim">usually ${formatDuration(usualDurationMs)}</span>`}`,
    ],
    ['Attempts', run.attempts],
  ]);
}

function errorSection({ run }: RunView): Markup | null {
  if (run.failedAttempts.length > 1 || (run.failedAttempts.length === 1 && run.attempts > 1)) return attemptsTable(run);
  if (run.error === null) return null;
  return html`<h2>What went wrong</h2>
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
    ${table('Attempts that failed, oldest first', columns, failedAttempts, 'None')}`;
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

/** Returns when the run started: its first attempt, not its last. */
function getFirstStartedAt({ failedAttempts, startedAt }: TaskRunDto): Date | null {
  return failedAttempts[0] ? new Date(failedAttempts[0].startedAt) : startedAt;
}
