import type { ComponentChildren, VNode } from 'preact';
import type { HourlyRunCounts, RecentRun } from '../../api/tasks/tasks.queries';
import { formatDuration } from './format';

const SPARKLINE_SIZE = { width: 120, height: 24, bars: 24 };
const CHART_SIZE = { width: 900, height: 150, top: 20, left: 72, bottom: 26 };

/** Height of the bars, and the y coordinate below them. */
const PLOT_HEIGHT = CHART_SIZE.height - CHART_SIZE.top - CHART_SIZE.bottom;
const BASE_Y = CHART_SIZE.top + PLOT_HEIGHT;

/** Returns the CSS class for the outcome of a run. */
function getBarClass({ outcome }: RecentRun): string {
  if (outcome === 'partial') return 'bar-warn';
  return outcome === 'succeeded' ? 'bar-good' : 'bar-bad';
}

/** Names a number of runs. */
function formatRunCount(count: number): string {
  return count === 1 ? 'run' : `${count} runs`;
}

/** Describes a chart of runs for screen readers. */
function describeRuns(runs: readonly RecentRun[]): string {
  const partial = runs.filter(({ outcome }) => outcome === 'partial').length;
  const failed = runs.filter(({ outcome }) => outcome === 'failed' || outcome === 'timed_out').length;
  const times = runs.map(({ ms }) => ms);
  const range = `${formatDuration(Math.min(...times))} to ${formatDuration(Math.max(...times))}`;
  return `The last ${formatRunCount(runs.length)}: ${failed} failed, ${partial} partial; duration ${range}`;
}

interface BarProps {
  readonly kind: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly rx?: number;
  readonly children?: ComponentChildren;
}

function Bar({ kind, x, y, width, height, rx, children }: BarProps): VNode {
  return (
    <rect class={kind} x={x.toFixed(1)} y={y.toFixed(1)} width={width.toFixed(1)} height={height.toFixed(1)} rx={rx}>
      {children}
    </rect>
  );
}

/** Renders the durations of the latest runs at the height of a line; failed runs are full-height and red. */
export function Sparkline({ runs }: { runs: readonly RecentRun[] }): VNode {
  // Keeps the column of the grid.
  if (runs.length === 0) return <span></span>;
  const { width, height, bars } = SPARKLINE_SIZE;
  const max = Math.max(...runs.map(({ ms }) => ms), 1);
  const step = width / bars;
  const getSize = ({ outcome, ms }: RecentRun): number =>
    outcome === 'succeeded' || outcome === 'partial' ? Math.max(2, (ms / max) * height) : height;
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${width} ${height}`}
      width={width}
      height={height}
      role="img"
      aria-label={describeRuns(runs)}
    >
      {runs.map((run, i) => (
        <Bar
          kind={getBarClass(run)}
          x={(bars - runs.length + i) * step}
          y={height - getSize(run)}
          width={step - 1.5}
          height={getSize(run)}
          rx={1}
        />
      ))}
    </svg>
  );
}

/** Renders a chart with its axis, which ends at the largest value. */
function Chart({ label, max, children }: { label: string; max: string; children: ComponentChildren }): VNode {
  const { width, height, top, left } = CHART_SIZE;
  return (
    <svg class="chart" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      <text x={left - 8} y={top + 4} text-anchor="end">
        {max}
      </text>
      <text x={left - 8} y={BASE_Y} text-anchor="end">
        0
      </text>
      <line class="axis" x1={left} x2={width} y1={BASE_Y} y2={BASE_Y} />
      {children}
    </svg>
  );
}

interface DurationsChartProps {
  readonly runs: readonly RecentRun[];
  readonly usualMs: number | null;
}

/** Renders the durations of a task's runs, with the usual duration as a line. */
export function DurationsChart({ runs, usualMs }: DurationsChartProps): VNode {
  if (runs.length === 0) return <p class="empty">No finished runs yet.</p>;
  const { width, top, left } = CHART_SIZE;
  const max = Math.max(...runs.map(({ ms }) => ms), usualMs ?? 0, 1);
  const step = Math.min((width - left) / runs.length, 24);
  const getY = (ms: number): number => top + PLOT_HEIGHT - (ms / max) * PLOT_HEIGHT;
  return (
    <figure>
      <Chart label={`${describeRuns(runs)}; usually ${formatDuration(usualMs)}`} max={formatDuration(max)}>
        {runs.map((run, i) => (
          <DurationBar run={run} x={left + i * step} y={Math.min(getY(run.ms), BASE_Y - 2)} width={step - 2} />
        ))}
        {usualMs !== null && <UsualLine y={getY(usualMs).toFixed(1)} />}
      </Chart>
      <figcaption>
        Duration of the last {formatRunCount(runs.length)}, oldest first
        {usualMs !== null && `; the line is the usual duration, ${formatDuration(usualMs)}`}.
      </figcaption>
    </figure>
  );
}

function DurationBar({ run, x, y, width }: { run: RecentRun; x: number; y: number; width: number }): VNode {
  return (
    <Bar kind={getBarClass(run)} x={x} y={y} width={Math.max(1, width)} height={BASE_Y - y} rx={1}>
      <title>{`Run ${run.id}: ${run.outcome}, ${formatDuration(run.ms)}`}</title>
    </Bar>
  );
}

function UsualLine({ y }: { y: string }): VNode {
  return <line class="usual" x1={CHART_SIZE.left} x2={CHART_SIZE.width} y1={y} y2={y} />;
}

const LEGEND = [
  ['good', 'succeeded'],
  ['warn', 'partial: some items failed'],
  ['neutral', 'skipped: nothing to do'],
  ['bad', 'failed'],
] as const;

/** Renders the outcomes of the last day's runs by hour. */
export function HoursChart({ hours }: { hours: readonly HourlyRunCounts[] }): VNode {
  const { width, height, left } = CHART_SIZE;
  const max = Math.max(
    ...hours.map(({ succeeded, partial, skipped, failed }) => succeeded + partial + skipped + failed),
    1,
  );
  const summary = describeHours(hours);
  const step = (width - left) / Math.max(hours.length, 1);
  return (
    <figure>
      <Chart label={summary} max={String(max)}>
        {hours.map((hour, i) => (
          <HourBar hour={hour} x={left + i * step} step={step} runHeight={PLOT_HEIGHT / max} />
        ))}
        {hours.map(
          ({ at }, i) =>
            at.getUTCHours() % 6 === 0 && (
              <text x={(left + (i + 0.5) * step).toFixed(1)} y={height - 4} text-anchor="middle">
                {formatTime(at)}
              </text>
            ),
        )}
      </Chart>
      <figcaption>
        {summary}.{' '}
        <span class="legend">
          {LEGEND.map(([kind, word]) => (
            <>
              <span class="nowrap">
                <i class={`swatch bar-${kind}`}></i>
                {word}
              </span>{' '}
            </>
          ))}
        </span>
      </figcaption>
    </figure>
  );
}

function describeHours(hours: readonly HourlyRunCounts[]): string {
  const sum = (name: 'succeeded' | 'partial' | 'skipped' | 'failed'): number =>
    hours.reduce((all, hour) => all + hour[name], 0);
  return (
    `Runs of the last 24 hours: ${sum('succeeded')} succeeded, ${sum('partial')} partial, ` +
    `${sum('skipped')} skipped, ${sum('failed')} failed`
  );
}

function formatTime(at: Date): string {
  return at.toISOString().slice(11, 16);
}

interface HourBarProps {
  readonly hour: HourlyRunCounts;
  readonly x: number;
  readonly step: number;
  /** The height of one run. */
  readonly runHeight: number;
}

function describeHour({ succeeded, partial, skipped, failed }: HourlyRunCounts): string {
  return `${succeeded} succeeded, ${partial} partial, ${skipped} skipped, ${failed} failed`;
}

function HourBar({ hour, x, step, runHeight }: HourBarProps): VNode {
  const { at, succeeded, partial, skipped, failed } = hour;
  const parts = [
    ['bar-neutral', skipped],
    ['bar-good', succeeded],
    ['bar-warn', partial],
    ['bar-bad', failed],
  ] as const;
  let y = BASE_Y;
  return (
    <g>
      <title>{`${formatTime(at)}: ${describeHour(hour)}`}</title>
      {parts.map(([kind, count]) => {
        if (count === 0) return null;
        y -= count * runHeight;
        return <Bar kind={kind} x={x + 1} y={y} width={step - 3} height={count * runHeight} />;
      })}
    </g>
  );
}
