import type { TaskRunDto, RunOutcome } from '../../api/tasks/tasks.dto';
import type { HealthLevel } from '../overview/health-statuses';

/** Markup that is safe to send: only `html` creates it and escapes every value. */
export class Markup {
  constructor(readonly text: string) {}

  toString(): string {
    return this.text;
  }
}

type HtmlValue = Markup | string | number | null | undefined | readonly HtmlValue[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Renders a template as HTML. Escapes values unless they are Markup, joins lists, and skips null and undefined. */
export function html(strings: TemplateStringsArray, ...values: HtmlValue[]): Markup {
  return new Markup(strings.map((part, i) => part + (i < values.length ? render(values[i]) : '')).join(''));
}

function render(value: HtmlValue): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Markup) return value.text;
  if (Array.isArray(value)) return (value as readonly HtmlValue[]).map(render).join('');
  return String(value).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

const OUTCOME_TONES: Readonly<Record<RunOutcome, HealthLevel | 'neutral'>> = {
  queued: 'neutral',
  running: 'neutral',
  retrying: 'warn',
  succeeded: 'good',
  partial: 'warn',
  skipped: 'neutral',
  failed: 'bad',
  timed_out: 'bad',
};

/** Renders a word as a coloured tag. */
export function tag(tone: HealthLevel | 'neutral', text: string): Markup {
  return html`<span class="tag ${tone}">${text.replaceAll('_', ' ')}</span>`;
}

/** Renders the outcome of a run. */
export function outcomeTag({ outcome, attempts }: Pick<TaskRunDto, 'outcome' | 'attempts'>): Markup {
  return html`${tag(OUTCOME_TONES[outcome], outcome)}${attempts > 1 ? html` <span class="muted">attempt ${attempts}</span>` : null}`;
}

/** Renders an instant; the script shows relative ones as a time span. */
export function timestamp(at: Date | null, isRelative = false): Markup {
  if (at === null) return html`<span class="muted">–</span>`;
  const text = at.toISOString();
  return html`<time datetime="${text}" ${isRelative ? html` data-relative` : null}
    >${text.slice(0, 19).replace('T', ' ')}</time
  >`;
}

/** Formats a duration. */
export function formatDuration(ms: number | null): string {
  if (ms === null) return '–';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${(ms / 1_000).toFixed(1)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`;
}

/** Returns the duration of a finished run. */
export function getRunDurationMs({ startedAt, endedAt }: Pick<TaskRunDto, 'startedAt' | 'endedAt'>): number | null {
  return startedAt && endedAt ? endedAt.getTime() - startedAt.getTime() : null;
}

/** Formats a number of bytes. */
export function formatBytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log(value) / Math.log(1_024)));
  return `${(value / 1_024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** A column of a table: its heading and its cells. */
export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => Markup | string | number | null;
  readonly isNumber?: boolean;
}

/** Renders a table; on a phone each row is a card with labelled cells. */
export function table<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  empty: string,
): Markup {
  if (rows.length === 0) return html`<p class="empty">${empty}</p>`;
  const classAttribute = ({ isNumber }: Column<Row>) => (isNumber ? html` class="number"` : null);
  return html`<table>
    <caption>
      ${caption}
    </caption>
    <thead>
      <tr>
        ${columns.map((column) => html`<th scope="col" ${classAttribute(column)}>${column.head}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) =>
          html`<tr>
            ${columns.map((column) => html`<td data-label="${column.head}" ${classAttribute(column)}>${column.cell(row)}</td>`)}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

/** Renders names and values as a list. */
export function factList(
  entries: readonly (readonly [name: string, value: Markup | string | number | null])[],
): Markup {
  return html`<dl>
    ${entries.map(
      ([name, value]) =>
        html`<dt>${name}</dt>
          <dd>${value}</dd>`,
    )}
  </dl>`;
}

/** Renders key figures with their labels. */
export function figureList(entries: readonly (readonly [value: number | string, name: string])[]): Markup {
  return html`<ul class="numbers">
    ${entries.map(([value, name]) => html`<li class="card"><strong>${value}</strong> <span class="muted">${name}</span></li>`)}
  </ul>`;
}

/** Renders a part of the page that the events of /admin/events replace, by its name. */
export function livePart(name: string, content: Markup): Markup {
  return html`<div data-live="${name}">${content}</div>`;
}
