import { Injectable } from '@nestjs/common';
import { DatabaseMetricsService, type DatabaseOverview } from '../../api/database/database-metrics.service';
import { figureList, formatBytes, formatDuration, html, type Markup, table, tag, timestamp } from '../components/html';
import type { Panel } from '../components/page';

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

  async render(): Promise<Markup> {
    const overview = await this.metrics.readOverview();
    return html`${keyFigures(overview)} ${viewsSection(overview)}
      <h2>Slow statements</h2>
      ${slowQueriesTable(overview)}
      <h2>Largest tables</h2>
      <div class="card">${tableSizesTable(overview)}</div>
      <h2>Connections</h2>
      <div class="card">${connectionsTable(overview)}</div>
      <h2>Unused indexes</h2>
      <p>
        Counted since ${timestamp(overview.state.statisticsSince ?? overview.state.startedAt)}. Drop an index only after
        every task and report has run in that time.
      </p>
      <div class="card">${unusedIndexesTable(overview)}</div>`;
  }
}

function keyFigures({ state, connections }: DatabaseOverview): Markup {
  return figureList([
    [formatBytes(state.sizeBytes), 'in total'],
    [state.cacheHitPercent === null ? '–' : `${state.cacheHitPercent} %`, 'of pages found in memory'],
    [`${connections.total} of ${connections.max}`, 'connections'],
    [connections.waiting, 'waiting for locks'],
    [state.deadlocks, 'deadlocks'],
  ]);
}

function viewsSection({ state }: DatabaseOverview): Markup {
  return html`${state.views.map(({ view, refreshedAt, durationMs }) => html`<p><b>${view}</b> was refreshed ${timestamp(refreshedAt, true)}, which took ${formatDuration(durationMs)}.</p>`)}
    <p class="muted">
      PostgreSQL was started ${timestamp(state.startedAt)}; its statistics begin
      ${timestamp(state.statisticsSince ?? state.startedAt)}.
    </p>`;
}

function slowQueriesTable({ slowQueries }: DatabaseOverview): Markup {
  if (slowQueries.unavailable !== null) return html`<p class="notice warn">${slowQueries.unavailable}</p>`;
  return html`<div class="card">
    ${table(
      'The statements with the longest mean time, without values',
      [
        {
          head: 'Statement',
          cell: ({ query }) =>
            html`<details>
              <summary><code>${query.length > 90 ? `${query.slice(0, 90)} …` : query}</code></summary>
              <pre class="wrap">${query}</pre>
            </details>`,
        },
        { head: 'Role', cell: ({ role }) => role },
        { head: 'Calls', cell: ({ calls }) => calls, isNumber: true },
        { head: 'Mean', cell: ({ meanMs }) => formatDuration(meanMs), isNumber: true },
        { head: 'Longest', cell: ({ maxMs }) => formatDuration(maxMs), isNumber: true },
        { head: 'Advice', cell: ({ advice }) => advice },
      ],
      slowQueries.items,
      'No statements yet.',
    )}
  </div>`;
}

function tableSizesTable({ tableSizes }: DatabaseOverview): Markup {
  return table(
    `The ${ROWS_SHOWN} largest tables and views`,
    [
      {
        head: 'Table',
        cell: (row) =>
          html`${row.schema === 'public' ? '' : `${row.schema}.`}${row.table}
          ${row.isView ? html`<span class="muted">view</span>` : null}${row.partitions > 0 ? html`<span class="muted">${row.partitions} partitions</span>` : null}`,
      },
      { head: 'Size', cell: ({ sizeBytes }) => formatBytes(sizeBytes), isNumber: true },
      { head: 'Indexes', cell: ({ indexBytes }) => formatBytes(indexBytes), isNumber: true },
      { head: 'Rows (estimated)', cell: ({ liveRows }) => liveRows, isNumber: true },
      { head: 'Dead rows', cell: ({ deadRows }) => deadRows, isNumber: true },
    ],
    tableSizes.slice(0, ROWS_SHOWN),
    'No tables.',
  );
}

function connectionsTable({ connections }: DatabaseOverview): Markup {
  return table(
    'Connections by login',
    [
      { head: 'Login', cell: ({ role }) => role },
      { head: 'Database', cell: ({ database }) => database },
      { head: 'Total', cell: ({ total }) => total, isNumber: true },
      { head: 'Active', cell: ({ active }) => active, isNumber: true },
      { head: 'Idle', cell: ({ idle }) => idle, isNumber: true },
      {
        head: 'Idle in transaction',
        cell: ({ idleInTransaction, longestIdleInTransactionSeconds }) =>
          longestIdleInTransactionSeconds < IDLE_SECONDS
            ? idleInTransaction
            : tag('warn', `${idleInTransaction}, ${Math.round(longestIdleInTransactionSeconds)} s`),
        isNumber: true,
      },
      { head: 'Waiting', cell: ({ waiting }) => (waiting === 0 ? 0 : tag('warn', String(waiting))), isNumber: true },
    ],
    connections.items,
    'No connections.',
  );
}

function unusedIndexesTable({ indexes }: DatabaseOverview): Markup {
  return table(
    'Indexes without scans or constraints',
    [
      { head: 'Index', cell: ({ index }) => index },
      { head: 'Table', cell: (row) => row.table },
      { head: 'Size', cell: ({ sizeBytes }) => formatBytes(sizeBytes), isNumber: true },
    ],
    indexes
      .filter(({ scans, isConstraint, schema }) => scans === 0 && !isConstraint && schema === 'public')
      .slice(0, ROWS_SHOWN),
    'No unused indexes.',
  );
}
