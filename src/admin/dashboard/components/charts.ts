import type { HourlyRunCounts, RecentRun } from '../../api/tasks/tasks.queries';
import { formatDuration, html, type Markup } from './html';

const SPARKLINE_SIZE = { width: 120, height: 24, bars: 24 };
const CHART_SIZE = { width: 900, height: 150, top: 20, left: 72, bottom: 26 };

/** What a bar is coloured by. */
function getBarClass({ outcome }: RecentRun): string {
  if (outcome === 'partial') return 'bar-warn';
  return outcome === 'succeeded' ? 'bar-good' : 'bar-bad';
}

/** In words, for who does not see the picture. */
function describeRuns(runs: readonly RecentRun[]): string {
  const partial = runs.filter(({ outcome }) => outcome === 'partial').length;
  const failed = runs.filter(({ outcome }) => outcome === 'failed' || outcome === 'timed_out').length;
  const times = runs.map(({ ms }) => ms);
  return `The last ${runs.length === 1 ? 'run' : `${runs.length} runs`}: ${failed} failed, ${partial} in part; took ${formatDuration(Math.min(...times))} to ${formatDuration(Math.max(...times))}`;
}

/** A picture of a line's height: how long the latest runs took, the failed ones in another colour and full height. */
export function sparkline(runs: readonly RecentRun[]): Markup | null {
  if (runs.length === 0) return null;
  const { width, height, bars } = SPARKLINE_SIZE;
  const most = Math.max(...runs.map(({ ms }) => ms), 1);
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
        run.outcome === 'succeeded' || run.outcome === 'partial' ? Math.max(2, (run.ms / most) * height) : height;
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

/** How long the runs of a task took, with the usual time as a line. */
export function durationsChart(runs: readonly RecentRun[], usualMs: number | null): Markup {
  if (runs.length === 0) return html`<p class="empty">No run has done anything yet.</p>`;
  const { width, height, top, left, bottom } = CHART_SIZE;
  const most = Math.max(...runs.map(({ ms }) => ms), usualMs ?? 0, 1);
  const room = height - top - bottom;
  const step = Math.min((width - left) / runs.length, 24);
  const yOf = (ms: number): number => top + room - (ms / most) * room;
  return html`<figure>
    <svg
      class="chart"
      viewBox="0 0 ${width} ${height}"
      role="img"
      aria-label="${describeRuns(runs)}; usually ${formatDuration(usualMs)}"
    >
      <text x="${left - 8}" y="${top + 4}" text-anchor="end">${formatDuration(most)}</text>
      <text x="${left - 8}" y="${top + room}" text-anchor="end">0</text>
      <line class="axis" x1="${left}" x2="${width}" y1="${top + room}" y2="${top + room}" />
      ${runs.map((run, i) => {
        const y = Math.min(yOf(run.ms), top + room - 2);
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
      ${usualMs === null ? null : html`<line class="usual" x1="${left}" x2="${width}" y1="${yOf(usualMs).toFixed(1)}" y2="${yOf(usualMs).toFixed(1)}" />`}
    </svg>
    <figcaption>
      How long the last ${runs.length === 1 ? 'run' : `${runs.length} runs`} took, oldest
      first${usualMs === null ? null : html`; the line is the usual time, ${formatDuration(usualMs)}`}.
    </figcaption>
  </figure>`;
}

/** How the runs of the last day ended, hour by hour. */
export function hoursChart(hours: readonly HourlyRunCounts[]): Markup {
  const { width, height, top, left, bottom } = CHART_SIZE;
  const most = Math.max(
    ...hours.map(({ succeeded, partial, skipped, failed }) => succeeded + partial + skipped + failed),
    1,
  );
  const sum = (name: 'succeeded' | 'partial' | 'skipped' | 'failed'): number =>
    hours.reduce((all, hour) => all + hour[name], 0);
  const words = `Runs of the last 24 hours: ${sum('succeeded')} succeeded, ${sum('partial')} failed in part, ${sum('skipped')} found nothing to do, ${sum('failed')} failed`;
  const room = height - top - bottom;
  const step = (width - left) / Math.max(hours.length, 1);
  return html`<figure>
    <svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="${words}">
      <text x="${left - 8}" y="${top + 4}" text-anchor="end">${most}</text>
      <text x="${left - 8}" y="${top + room}" text-anchor="end">0</text>
      <line class="axis" x1="${left}" x2="${width}" y1="${top + room}" y2="${top + room}" />
      ${hours.map((hour, i) => hourBar(hour, left + i * step, step, (count) => (count / most) * room, top + room))}
      ${hours.map(({ at }, i) => (at.getUTCHours() % 6 === 0 ? html`<text x="${(left + (i + 0.5) * step).toFixed(1)}" y="${height - 4}" text-anchor="middle">${at.toISOString().slice(11, 16)}</text>` : null))}
    </svg>
    <figcaption>
      ${words}.
      <span class="key"
        >${[
          ['good', 'succeeded'],
          ['warn', 'failed in part'],
          ['calm', 'nothing to do'],
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
    ['bar-calm', skipped],
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
