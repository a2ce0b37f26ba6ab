import type { TaskRunDto, RunOutcome } from '../dto/task-run.dto';
import type { Level } from '../light';
import { html, type Markup } from './html';

const TONES: Readonly<Record<RunOutcome, Level | 'calm'>> = {
  queued: 'calm',
  running: 'calm',
  retrying: 'warn',
  succeeded: 'good',
  partial: 'warn',
  skipped: 'calm',
  failed: 'bad',
  timed_out: 'bad',
};

/** A word with a colour that says the same. */
export function tag(tone: Level | 'calm', text: string): Markup {
  return html`<span class="tag ${tone}">${text.replaceAll('_', ' ')}</span>`;
}

/** How a run stands. */
export function outcomeTag({ outcome, attempts }: Pick<TaskRunDto, 'outcome' | 'attempts'>): Markup {
  return html`${tag(TONES[outcome], outcome)}${attempts > 1 ? html` <span class="dim">attempt ${attempts}</span>` : null}`;
}

/** An instant; the script, where it runs, shows how far it is away. */
export function moment(at: Date | null, isRelative = false): Markup {
  if (at === null) return html`<span class="dim">–</span>`;
  const text = at.toISOString();
  return html`<time datetime="${text}" ${isRelative ? html` data-relative` : null}
    >${text.slice(0, 19).replace('T', ' ')}</time
  >`;
}

/** A time that something took. */
export function duration(ms: number | null): string {
  if (ms === null) return '–';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${(ms / 1_000).toFixed(1)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`;
}

/** How long a run took that is over. */
export function tookMs({ startedAt, endedAt }: Pick<TaskRunDto, 'startedAt' | 'endedAt'>): number | null {
  return startedAt && endedAt ? endedAt.getTime() - startedAt.getTime() : null;
}

/** An amount of bytes. */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log(value) / Math.log(1_024)));
  return `${(value / 1_024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** A column of a table: its heading, and what stands in it. */
export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => Markup | string | number | null;
  readonly isNumber?: boolean;
}

/** A table; on a phone each row is a card whose cells say what they are. */
export function table<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  empty: string,
): Markup {
  if (rows.length === 0) return html`<p class="empty">${empty}</p>`;
  const classOf = ({ isNumber }: Column<Row>) => (isNumber ? html` class="number"` : null);
  return html`<table>
    <caption>
      ${caption}
    </caption>
    <thead>
      <tr>
        ${columns.map((column) => html`<th scope="col" ${classOf(column)}>${column.head}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) =>
          html`<tr>
            ${columns.map((column) => html`<td data-label="${column.head}" ${classOf(column)}>${column.cell(row)}</td>`)}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

/** Facts with their names. */
export function facts(entries: readonly (readonly [name: string, value: Markup | string | number | null])[]): Markup {
  return html`<dl>
    ${entries.map(
      ([name, value]) =>
        html`<dt>${name}</dt>
          <dd>${value}</dd>`,
    )}
  </dl>`;
}

/** A row of figures, each with what it counts. */
export function numbers(entries: readonly (readonly [value: number | string, name: string])[]): Markup {
  return html`<ul class="numbers">
    ${entries.map(([value, name]) => html`<li class="card"><strong>${value}</strong> <span class="dim">${name}</span></li>`)}
  </ul>`;
}

/** A part of the page that the events of /admin/events replace, by its name. */
export function live(name: string, content: Markup): Markup {
  return html`<div data-live="${name}">${content}</div>`;
}
