import type { TaskRunDto } from '../dto/task-run.dto';
import { html, type Markup } from './html';
import { duration, moment, outcomeTag, table, tookMs, type Column } from './widgets';

const COLUMNS: readonly Column<TaskRunDto>[] = [
  { head: 'Run', cell: ({ id }) => html`<a href="/admin/runs/${id}">${id}</a>` },
  { head: 'Task', cell: ({ task }) => html`<a class="plain" href="/admin/tasks/${task}">${task}</a>` },
  { head: 'Outcome', cell: outcomeTag },
  { head: 'Started', cell: ({ startedAt }) => moment(startedAt, true) },
  { head: 'Duration', cell: (run) => duration(tookMs(run)), isNumber: true },
  { head: 'Started by', cell: startedBy },
  { head: 'Result', cell: resultOf },
];

/** Returns a table of runs with their results, each a link to its page. */
export function runsTable(
  caption: string,
  runs: readonly TaskRunDto[],
  whenEmpty = 'No run is kept here yet.',
): Markup {
  return table(caption, COLUMNS, runs, whenEmpty);
}

/** Returns who or what started a run. */
export function startedBy({ startedBy, startedById, retryOf }: TaskRunDto): Markup {
  const who =
    startedBy === 'admin'
      ? html`<a class="plain" href="/admin/users/${startedById}">admin ${startedById}</a>`
      : startedBy;
  return html`${who}${retryOf === null ? null : html`, retry of <a href="/admin/runs/${retryOf}">${retryOf}</a>`}`;
}

function resultOf({ error, figures }: TaskRunDto): Markup | string {
  if (error !== null) return html`<span class="error">${error}</span>`;
  return Object.entries(figures ?? {})
    .map(([name, value]) => `${name}: ${String(value)}`)
    .join(', ');
}
