import { Injectable } from '@nestjs/common';
import { DatabaseMetricsService, type DatabaseOverview } from '../../api/database/database-metrics.service';
import { figureList, formatBytes, formatDuration, html, type Markup, table, tag, timestamp } from '../components/html';
import type { Panel } from '../components/page';

/** Lists are for a look; GET /v1/admin/database tells all. */
const ROWS_SHOWN = 15;

/** Every transaction is idle for a moment between its statements; longer is worth a look. */
const IDLE_SECONDS = 5;

/** How PostgreSQL is doing: sizes, slow statements, connections, cache, age of views, indexes nobody uses. */
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
        Counted since ${timestamp(overview.state.statisticsSince ?? overview.state.startedAt)}. Drop none before every
        task and report has run in that time.
      </p>
      <div class="card">${unusedIndexesTable(overview)}</div>`;
  }
}

function keyFigures({ state, connections }: DatabaseOverview): Markup {
  return figureList([
    [formatBytes(state.sizeBytes), 'in all'],
    [state.cacheHitPercent === null ? '–' : `${state.cacheHitPercent} %`, 'of pages found in memory'],
    [`${connections.total} of ${connections.max}`, 'connections'],
    [connections.waiting, 'waiting for locks'],
    [state.deadlocks, 'deadlocks'],
  ]);
}

function viewsSection({ state }: DatabaseOverview): Markup {
  return html`${state.views.map(({ view, refreshedAt, durationMs }) => html`<p><b>${view}</b> was refreshed ${timestamp(refreshedAt, true)}, which took ${formatDuration(durationMs)}.</p>`)}
    <p class="dim">
      PostgreSQL runs since ${timestamp(state.startedAt)}; it counts since
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
      'No statement was counted yet.',
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
          ${row.isView ? html`<span class="dim">view</span>` : null}${row.partitions > 0 ? html`<span class="dim">${row.partitions} partitions</span>` : null}`,
      },
      { head: 'Size', cell: ({ sizeBytes }) => formatBytes(sizeBytes), isNumber: true },
      { head: 'Indexes', cell: ({ indexBytes }) => formatBytes(indexBytes), isNumber: true },
      { head: 'Rows, about', cell: ({ liveRows }) => liveRows, isNumber: true },
      { head: 'Dead rows', cell: ({ deadRows }) => deadRows, isNumber: true },
    ],
    tableSizes.slice(0, ROWS_SHOWN),
    'There is no table.',
  );
}

function connectionsTable({ connections }: DatabaseOverview): Markup {
  return table(
    'Connections by login',
    [
      { head: 'Login', cell: ({ role }) => role },
      { head: 'Database', cell: ({ database }) => database },
      { head: 'All', cell: ({ total }) => total, isNumber: true },
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
    'Nobody is connected.',
  );
}

function unusedIndexesTable({ indexes }: DatabaseOverview): Markup {
  return table(
    'Indexes without a scan that keep no rows unique',
    [
      { head: 'Index', cell: ({ index }) => index },
      { head: 'Table', cell: (row) => row.table },
      { head: 'Size', cell: ({ sizeBytes }) => formatBytes(sizeBytes), isNumber: true },
    ],
    indexes
      .filter(({ scans, isConstraint, schema }) => scans === 0 && !isConstraint && schema === 'public')
      .slice(0, ROWS_SHOWN),
    'Every index is used.',
  );
}
