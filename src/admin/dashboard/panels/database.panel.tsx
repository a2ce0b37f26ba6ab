import { Injectable } from '@nestjs/common';
import type { VNode } from 'preact';
import { DatabaseMetricsService, type DatabaseOverview } from '../../api/database/database-metrics.service';
import type { ConnectionGroupDto, IndexUseDto, SlowQueryDto, TableSizeDto } from '../../api/database/database.dto';
import { type Column, FigureList, Table, Tag, Timestamp, type Panel } from '../components/page';
import { formatBytes, formatDuration } from '../components/format';

/** Maximum rows of a table; the routes below /v1/admin/database return all. */
const ROWS_SHOWN = 15;

/** Idle time inside a transaction that is worth a warning; short pauses between statements are normal. */
const IDLE_SECONDS = 5;

/** Metrics of PostgreSQL: sizes, slow statements, connections, cache, age of views, unused indexes. */
@Injectable()
export class DatabasePanel implements Panel {
  readonly path = '/database';
  readonly title = 'Database';
  readonly section = '/admin/database';

  constructor(private readonly metrics: DatabaseMetricsService) {}

  async render(): Promise<VNode> {
    const overview = await this.metrics.readOverview();
    return (
      <>
        <KeyFigures {...overview} />
        <Views {...overview} />
        <h2>Slow statements</h2>
        <SlowQueries {...overview} />
        <h2>Largest tables</h2>
        <div class="card">
          <TableSizes {...overview} />
        </div>
        <h2>Connections</h2>
        <div class="card">
          <Connections {...overview} />
        </div>
        <h2>Unused indexes</h2>
        <p>
          Counted since <Timestamp at={overview.state.statisticsSince ?? overview.state.startedAt} />. Drop an index
          only after every task and report has run in that time.
        </p>
        <div class="card">
          <UnusedIndexes {...overview} />
        </div>
      </>
    );
  }
}

function KeyFigures({ state, connections }: DatabaseOverview): VNode {
  return (
    <FigureList
      figures={[
        [formatBytes(state.sizeBytes), 'in total'],
        [state.cacheHitPercent === null ? '–' : `${state.cacheHitPercent} %`, 'of pages found in memory'],
        [`${connections.total} of ${connections.max}`, 'connections'],
        [connections.waiting, 'waiting for locks'],
        [state.deadlocks, 'deadlocks'],
      ]}
    />
  );
}

function Views({ state }: DatabaseOverview): VNode {
  return (
    <>
      {state.views.map(({ view, refreshedAt, durationMs }) => (
        <p>
          <b>{view}</b> was refreshed <Timestamp at={refreshedAt} isRelative />, which took {formatDuration(durationMs)}
          .
        </p>
      ))}
      <p class="muted">
        PostgreSQL was started <Timestamp at={state.startedAt} />; its statistics begin{' '}
        <Timestamp at={state.statisticsSince ?? state.startedAt} />.
      </p>
    </>
  );
}

const QUERY_COLUMNS: readonly Column<SlowQueryDto>[] = [
  { head: 'Statement', cell: (row) => <Statement {...row} /> },
  { head: 'Role', cell: ({ role }) => role },
  { head: 'Calls', cell: ({ calls }) => calls, isNumber: true },
  { head: 'Mean', cell: ({ meanMs }) => formatDuration(meanMs), isNumber: true },
  { head: 'Longest', cell: ({ maxMs }) => formatDuration(maxMs), isNumber: true },
  { head: 'Advice', cell: ({ advice }) => advice },
];

function SlowQueries({ slowQueries: { unavailable, items } }: DatabaseOverview): VNode {
  if (unavailable !== null) return <p class="notice warn">{unavailable}</p>;
  return (
    <div class="card">
      <Table
        caption="The statements with the longest mean time, without values"
        columns={QUERY_COLUMNS}
        rows={items}
        empty="No statements yet."
      />
    </div>
  );
}

function Statement({ query }: SlowQueryDto): VNode {
  return (
    <details>
      <summary>
        <code>{query.length > 90 ? `${query.slice(0, 90)} …` : query}</code>
      </summary>
      <pre class="wrap">{query}</pre>
    </details>
  );
}

const TABLE_COLUMNS: readonly Column<TableSizeDto>[] = [
  { head: 'Table', cell: (row) => <TableName {...row} /> },
  { head: 'Size', cell: ({ sizeBytes }) => formatBytes(sizeBytes), isNumber: true },
  { head: 'Indexes', cell: ({ indexBytes }) => formatBytes(indexBytes), isNumber: true },
  { head: 'Rows (estimated)', cell: ({ liveRows }) => liveRows, isNumber: true },
  { head: 'Dead rows', cell: ({ deadRows }) => deadRows, isNumber: true },
];

function TableSizes({ tableSizes }: DatabaseOverview): VNode {
  return (
    <Table
      caption={`The ${ROWS_SHOWN} largest tables and views`}
      columns={TABLE_COLUMNS}
      rows={tableSizes.slice(0, ROWS_SHOWN)}
      empty="No tables."
    />
  );
}

function TableName({ schema, table, isView, partitions }: TableSizeDto): VNode {
  return (
    <>
      {schema === 'public' ? table : `${schema}.${table}`} {isView && <span class="muted">view</span>}
      {partitions > 0 && <span class="muted">{partitions} partitions</span>}
    </>
  );
}

const CONNECTION_COLUMNS: readonly Column<ConnectionGroupDto>[] = [
  { head: 'Login', cell: ({ role }) => role },
  { head: 'Database', cell: ({ database }) => database },
  { head: 'Total', cell: ({ total }) => total, isNumber: true },
  { head: 'Active', cell: ({ active }) => active, isNumber: true },
  { head: 'Idle', cell: ({ idle }) => idle, isNumber: true },
  {
    head: 'Idle in transaction',
    cell: ({ idleInTransaction, longestIdleInTransactionSeconds: seconds }) =>
      seconds < IDLE_SECONDS ? (
        idleInTransaction
      ) : (
        <Tag tone="warn" text={`${idleInTransaction}, ${Math.round(seconds)} s`} />
      ),
    isNumber: true,
  },
  {
    head: 'Waiting',
    cell: ({ waiting }) => (waiting === 0 ? 0 : <Tag tone="warn" text={String(waiting)} />),
    isNumber: true,
  },
];

function Connections({ connections }: DatabaseOverview): VNode {
  return (
    <Table
      caption="Connections by login"
      columns={CONNECTION_COLUMNS}
      rows={connections.items}
      empty="No connections."
    />
  );
}

const INDEX_COLUMNS: readonly Column<IndexUseDto>[] = [
  { head: 'Index', cell: ({ index }) => index },
  { head: 'Table', cell: ({ table }) => table },
  { head: 'Size', cell: ({ sizeBytes }) => formatBytes(sizeBytes), isNumber: true },
];

function UnusedIndexes({ indexes }: DatabaseOverview): VNode {
  const unused = indexes.filter(
    ({ scans, isConstraint, schema }) => scans === 0 && !isConstraint && schema === 'public',
  );
  return (
    <Table
      caption="Indexes without scans or constraints"
      columns={INDEX_COLUMNS}
      rows={unused.slice(0, ROWS_SHOWN)}
      empty="No unused indexes."
    />
  );
}
