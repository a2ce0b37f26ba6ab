import type { VNode } from 'preact';
import type { RunOutcome, TaskRunDto } from '../../api/tasks/tasks.dto';
import type { HealthLevel } from '../overview/health-statuses';
import { type Column, type Content, Table, Tag, Timestamp } from './page';
import { formatDuration, getRunDurationMs } from './format';

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

/** Renders the outcome of a run. */
export function OutcomeTag({ run: { outcome, attempts } }: { run: Pick<TaskRunDto, 'outcome' | 'attempts'> }): VNode {
  return (
    <>
      <Tag tone={OUTCOME_TONES[outcome]} text={outcome} />
      {attempts > 1 && (
        <>
          {' '}
          <span class="muted">attempt {attempts}</span>
        </>
      )}
    </>
  );
}

const COLUMNS: readonly Column<TaskRunDto>[] = [
  { head: 'Run', cell: ({ id }) => <a href={`/admin/runs/${id}`}>{id}</a> },
  {
    head: 'Task',
    cell: ({ task }) => (
      <a class="plain" href={`/admin/tasks/${task}`}>
        {task}
      </a>
    ),
  },
  { head: 'Outcome', cell: (run) => <OutcomeTag run={run} /> },
  { head: 'Started', cell: ({ startedAt }) => <Timestamp at={startedAt} isRelative /> },
  { head: 'Duration', cell: (run) => formatDuration(getRunDurationMs(run)), isNumber: true },
  { head: 'Started by', cell: (run) => <StartedBy run={run} /> },
  { head: 'Result', cell: describeResult },
];

interface RunsTableProps {
  readonly caption: string;
  readonly runs: readonly TaskRunDto[];
  readonly empty?: string;
}

/** Renders a table of runs with their results and links to their pages. */
export function RunsTable({ caption, runs, empty = 'No runs yet.' }: RunsTableProps): VNode {
  return <Table caption={caption} columns={COLUMNS} rows={runs} empty={empty} />;
}

/** Renders the origin of a run. */
export function StartedBy({ run: { startedBy, startedById, retryOf } }: { run: TaskRunDto }): VNode {
  return (
    <>
      {startedBy === 'admin' ? (
        <a class="plain" href={`/admin/users/${startedById}`}>
          admin {startedById}
        </a>
      ) : (
        startedBy
      )}
      {retryOf !== null && (
        <>
          , retry of <a href={`/admin/runs/${retryOf}`}>{retryOf}</a>
        </>
      )}
    </>
  );
}

function describeResult({ error, figures }: TaskRunDto): Content {
  if (error !== null) return <span class="error">{error}</span>;
  return Object.entries(figures ?? {})
    .map(([name, value]) => `${name}: ${String(value)}`)
    .join(', ');
}
