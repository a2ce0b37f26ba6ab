import type { TaskRunDto } from '../../api/tasks/tasks.dto';
import { type Column, formatDuration, getRunDurationMs, html, type Markup, outcomeTag, table, timestamp } from './html';

/** Describes common cron expressions in words; returns others unchanged. */
export function describeCron(cron: string): string {
  const seconds = /^\*\/(\d+) \* \* \* \* \*$/.exec(cron)?.[1];
  if (seconds) return `every ${seconds} seconds`;
  const [minute = '', hour = '', day = '', month = '', weekday = '', ...more] = cron.split(' ');
  if (more.length > 0 || month !== '*' || weekday !== '*') return cron;
  if (minute === '*' && hour === '*' && day === '*') return 'every minute';
  const every = /^\*\/(\d+)$/.exec(minute)?.[1];
  if (every && hour === '*' && day === '*') return `every ${every} minutes`;
  if (!/^\d+$/.test(minute)) return cron;
  const mm = minute.padStart(2, '0');
  const hours = /^\*\/(\d+)$/.exec(hour)?.[1];
  if (hours && day === '*') return `every ${hours} hours, at minute ${mm}`;
  if (hour === '*' && day === '*') return `hourly, at minute ${mm}`;
  if (/^\d+$/.test(hour) && day === '*') return `daily at ${hour.padStart(2, '0')}:${mm}`;
  return cron;
}

const COLUMNS: readonly Column<TaskRunDto>[] = [
  { head: 'Run', cell: ({ id }) => html`<a href="/admin/runs/${id}">${id}</a>` },
  { head: 'Task', cell: ({ task }) => html`<a class="plain" href="/admin/tasks/${task}">${task}</a>` },
  { head: 'Outcome', cell: outcomeTag },
  { head: 'Started', cell: ({ startedAt }) => timestamp(startedAt, true) },
  { head: 'Duration', cell: (run) => formatDuration(getRunDurationMs(run)), isNumber: true },
  { head: 'Started by', cell: startedByText },
  { head: 'Result', cell: resultText },
];

/** Renders a table of runs with their results and links to their pages. */
export function runsTable(caption: string, runs: readonly TaskRunDto[], whenEmpty = 'No runs yet.'): Markup {
  return table(caption, COLUMNS, runs, whenEmpty);
}

/** Renders the origin of a run. */
export function startedByText({ startedBy, startedById, retryOf }: TaskRunDto): Markup {
  const origin =
    startedBy === 'admin'
      ? html`<a class="plain" href="/admin/users/${startedById}">admin ${startedById}</a>`
      : startedBy;
  return html`${origin}${retryOf === null ? null : html`, retry of <a href="/admin/runs/${retryOf}">${retryOf}</a>`}`;
}

function resultText({ error, figures }: TaskRunDto): Markup | string {
  if (error !== null) return html`<span class="error">${error}</span>`;
  return Object.entries(figures ?? {})
    .map(([name, value]) => `${name}: ${String(value)}`)
    .join(', ');
}
