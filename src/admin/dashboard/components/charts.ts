import type { HourlyRunCounts, RecentRun } from '../../api/tasks/tasks.queries';
import { formatDuration, html, type Markup } from './html';

const SPARKLINE_SIZE = { width: 120, height: 24, bars: 24 };
const CHART_SIZE = { width: 900, height: 150, top: 20, left: 72, bottom: 26 };

/** Returns the CSS class for the outcome of a run. */
function getBarClass({ outcome }: RecentRun): string {
  if (outcome === 'partial') return 'bar-warn';
  return outcome === 'succeeded' ? 'bar-good' : 'bar-bad';
}

/** Describes a chart of runs for screen readers. */
function describeRuns(runs: readonly RecentRun[]): string {
  const partial = runs.filter(({ outcome }) => outcome === 'partial').length;
  const failed = runs.filter(({ outcome }) => outcome === 'failed' || outcome === 'timed_out').length;
  const times = runs.map(({ ms }) => ms);
  return `The last ${runs.length === 1 ? 'run' : `${runs.length} runs`}: ${failed} failed, ${partial} failed in part; duration ${formatDuration(Math.min(...times))} to ${formatDuration(Math.max(...times))}`;
}

/** Renders the durations of the latest runs at the height of a line; failed runs are full-height and red. */
export function sparkline(runs: readonly RecentRun[]): Markup | null {
  if (runs.length === 0) return null;
  const { width, height, bars } = SPARKLINE_SIZE;
  const max = Math.max(...runs.map(({ ms }) => ms), 1);
  const step = width / bars;
  return html`<svg
    class="spark"
    viewBox="0 0 ${width} ${height}"
    width="${width}"
    height="${height}"
    role="img"
    aria-label="${describeRuns(runs)}"
  >
    ${runs.map((run, i) => {
      const size =
        run.outcome === 'succeeded' || run.outcome === 'partial' ? Math.max(2, (run.ms / max) * height) : height;
      return html`<rect
        class="${getBarClass(run)}"
        x="${((bars - runs.length + i) * step).toFixed(1)}"
        y="${(height - size).toFixed(1)}"
        width="${(step - 1.5).toFixed(1)}"
        height="${size.toFixed(1)}"
        rx="1"
      />`;
    })}
  </svg>`;
}

/** Renders the durations of a task's runs, with the usual duration as a line. */
export function durationsChart(runs: readonly RecentRun[], usualMs: number | null): Markup {
  if (runs.length === 0) return html`<p class="empty">No finished runs yet.</p>`;
  const { width, height, top, left, bottom } = CHART_SIZE;
  const max = Math.max(...runs.map(({ ms }) => ms), usualMs ?? 0, 1);
  const room = height - top - bottom;
  const step = Math.min((width - left) / runs.length, 24);
  const getY = (ms: number): number => top + room - (ms / max) * room;
  return html`<figure>
    <svg
      class="chart"
      viewBox="0 0 ${width} ${height}"
      role="img"
      aria-label="${describeRuns(runs)}; usually ${formatDuration(usualMs)}"
    >
      <text x="${left - 8}" y="${top + 4}" text-anchor="end">${formatDuration(max)}</text>
      <text x="${left - 8}" y="${top + room}" text-anchor="end">0</text>
      <line class="axis" x1="${left}" x2="${width}" y1="${top + room}" y2="${top + room}" />
      ${runs.map((run, i) => {
        const y = Math.min(getY(run.ms), top + room - 2);
        return html`<rect
          class="${getBarClass(run)}"
          x="${(left + i * step).toFixed(1)}"
          y="${y.toFixed(1)}"
          width="${Math.max(1, step - 2).toFixed(1)}"
          height="${(top + room - y).toFixed(1)}"
          rx="1"
          ><title>Run ${run.id}: ${run.outcome}, ${formatDuration(run.ms)}</title></rect
        >`;
      })}
      ${usualMs === null ? null : html`<line class="usual" x1="${left}" x2="${width}" y1="${getY(usualMs).toFixed(1)}" y2="${getY(usualMs).toFixed(1)}" />`}
    </svg>
    <figcaption>
      Duration of the last ${runs.length === 1 ? 'run' : `${runs.length} runs`}, oldest
      first${usualMs === null ? null : html`; the line is the usual duration, ${formatDuration(usualMs)}`}.
    </figcaption>
  </figure>`;
}

/** Renders the outcomes of the last day's runs by hour. */
export function hoursChart(hours: readonly HourlyRunCounts[]): Markup {
  const { width, height, top, left, bottom } = CHART_SIZE;
  const max = Math.max(
    ...hours.map(({ succeeded, partial, skipped, failed }) => succeeded + partial + skipped + failed),
    1,
  );
  const sum = (name: 'succeeded' | 'partial' | 'skipped' | 'failed'): number =>
    hours.reduce((all, hour) => all + hour[name], 0);
  const summary = `Runs of the last 24 hours: ${sum('succeeded')} succeeded, ${sum('partial')} failed in part, ${sum('skipped')} found nothing to do, ${sum('failed')} failed`;
  const room = height - top - bottom;
  const step = (width - left) / Math.max(hours.length, 1);
  return html`<figure>
    <svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="${summary}">
      <text x="${left - 8}" y="${top + 4}" text-anchor="end">${max}</text>
      <text x="${left - 8}" y="${top + room}" text-anchor="end">0</text>
      <line class="axis" x1="${left}" x2="${width}" y1="${top + room}" y2="${top + room}" />
      ${hours.map((hour, i) => hourBar(hour, left + i * step, step, (count) => (count / max) * room, top + room))}
      ${hours.map(({ at }, i) => (at.getUTCHours() % 6 === 0 ? html`<text x="${(left + (i + 0.5) * step).toFixed(1)}" y="${height - 4}" text-anchor="middle">${at.toISOString().slice(11, 16)}</text>` : null))}
    </svg>
    <figcaption>
      ${summary}.
      <span class="legend"
        >${[
          ['good', 'succeeded'],
          ['warn', 'failed in part'],
          ['neutral', 'nothing to do'],
          ['bad', 'failed'],
        ].map(([kind, word]) => html`<span class="nowrap"><i class="swatch bar-${kind}"></i>${word}</span> `)}</span
      >
    </figcaption>
  </figure>`;
}

function hourBar(
  { at, succeeded, partial, skipped, failed }: HourlyRunCounts,
  x: number,
  step: number,
  size: (count: number) => number,
  base: number,
): Markup {
  const parts: (readonly [string, number])[] = [
    ['bar-neutral', skipped],
    ['bar-good', succeeded],
    ['bar-warn', partial],
    ['bar-bad', failed],
  ];
  let y = base;
  return html`<g>
    <title>
      ${at.toISOString().slice(11, 16)}: ${succeeded} succeeded, ${partial} failed in part, ${skipped} nothing to do,
      ${failed} failed
    </title>
    ${parts.map(([name, count]) => {
      if (count === 0) return null;
      y -= size(count);
      return html`<rect
        class="${name}"
        x="${(x + 1).toFixed(1)}"
        y="${y.toFixed(1)}"
        width="${(step - 3).toFixed(1)}"
        height="${size(count).toFixed(1)}"
      />`;
    })}
  </g>`;
}
