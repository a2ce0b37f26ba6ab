import { Injectable } from '@nestjs/common';
import { DatabaseMetricsService } from '../../api/database/database-metrics.service';
import { type PartitionDto, type PartitionedTableDto } from '../../api/database/partitions.dto';
import { type Column, formatBytes, html, type Markup, table, tag, timestamp } from '../components/html';
import type { Panel } from '../components/page';

type MonthState = 'covered' | 'default' | 'missing';

const MONTH_STATE_TEXTS: Readonly<Record<MonthState, string>> = {
  covered: 'has a partition',
  default: 'rows go to the default partition',
  missing: 'inserts would fail',
};

const MONTHS = ['J', 'F', 'M', 'A', 'M', 'J', 'J', 'A', 'S', 'O', 'N', 'D'];
const YEARS_BACK = 3;
const YEARS_AHEAD = 3;

const COLUMNS: readonly Column<PartitionDto>[] = [
  { head: 'Partition', cell: ({ name }) => name },
  {
    head: 'From',
    cell: ({ from, isDefault }) => (isDefault ? 'default' : (from?.toISOString().slice(0, 10) ?? 'unbounded')),
  },
  { head: 'To', cell: ({ to, isDefault }) => (isDefault ? '' : (to?.toISOString().slice(0, 10) ?? 'unbounded')) },
  { head: 'Rows (estimated)', cell: ({ liveRows }) => liveRows, isNumber: true },
  { head: 'Size', cell: ({ sizeBytes }) => formatBytes(sizeBytes), isNumber: true },
];

/** The months covered by partitions per table, and the size of each partition. */
@Injectable()
export class PartitionsPanel implements Panel {
  readonly path = '/partitions';
  readonly title = 'Partitions';
  readonly section = '/admin/partitions';

  constructor(private readonly metrics: DatabaseMetricsService) {}

  async render(): Promise<Markup> {
    const tables = await this.metrics.listPartitions();
    return html`<p>
        Yearly partitions are created in advance by <a href="/admin/tasks/create-partitions">create-partitions</a>.
      </p>
      <p class="legend">
        ${(['covered', 'default', 'missing'] as const).map((state) => html`<span class="nowrap"><i class="swatch month-${state}"></i>${state}: ${MONTH_STATE_TEXTS[state]}</span> `)}
      </p>
      ${tables.map(calendar)}
      <h2>Sizes</h2>
      <div class="card">
        ${table(
          'Partitions with their sizes',
          COLUMNS,
          tables.flatMap(({ partitions }) => partitions),
          'No partitioned tables.',
        )}
      </div>`;
  }
}

function calendar(partitionedTable: PartitionedTableDto): Markup {
  const now = new Date();
  const starts = partitionedTable.partitions.flatMap(({ from }) => (from === null ? [] : [from.getUTCFullYear()]));
  const first = Math.max(now.getUTCFullYear() - YEARS_BACK, Math.min(now.getUTCFullYear(), ...starts));
  const years = Array.from({ length: now.getUTCFullYear() + YEARS_AHEAD - first + 1 }, (_, i) => first + i);
  const monthCell = (year: number, month: number): Markup => {
    const state = getMonthState(new Date(Date.UTC(year, month, 1)), partitionedTable.partitions);
    const isNow = year === now.getUTCFullYear() && month === now.getUTCMonth();
    const name = `${year}-${String(month + 1).padStart(2, '0')}`;
    return html`<td class="month-${state}${isNow ? ' now' : ''}" title="${name}: ${MONTH_STATE_TEXTS[state]}">
      <span class="hidden">${state}</span>
    </td>`;
  };
  return html`<section class="card calendar-card">
    <div class="row">
      <h2>${partitionedTable.table}</h2>
      ${coverageText(partitionedTable)}
    </div>
    <table class="calendar">
      <caption>
        Months of ${partitionedTable.table} covered by partitions
      </caption>
      <thead>
        <tr>
          <th scope="col"><span class="hidden">Year</span></th>
          ${MONTHS.map((month) => html`<th scope="col">${month}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${years.map(
          (year) =>
            html`<tr>
              <th scope="row">${year}</th>
              ${MONTHS.map((_, month) => monthCell(year, month))}
            </tr>`,
        )}
      </tbody>
    </table>
  </section>`;
}

function coverageText({
  isCovered,
  coveredUntil,
  daysCovered,
  rowsInDefault,
  oldestInDefault,
}: PartitionedTableDto): Markup {
  const defaultRows = defaultRowsText(rowsInDefault, oldestInDefault);
  if (!isCovered) return html`<span>${tag('bad', 'no partition for today')}${defaultRows}</span>`;
  const until =
    coveredUntil === null ? 'without end' : `until ${coveredUntil.toISOString().slice(0, 10)}, ${daysCovered} days`;
  return html`<span><span class="muted">covered ${until}</span>${defaultRows}</span>`;
}

function defaultRowsText(rows: number | null, oldest: Date | null): Markup | null {
  if (rows === null) return html` ${tag('bad', 'no default partition')}`;
  return rows === 0
    ? null
    : html` ${tag('warn', `${rows} rows in default`)} <span class="muted">since ${timestamp(oldest)}</span>`;
}

/** Returns the state of a month; it is covered only if the whole month is. */
function getMonthState(month: Date, partitions: readonly PartitionDto[]): MonthState {
  const next = new Date(Date.UTC(month.getUTCFullYear(), month.getUTCMonth() + 1, 1));
  const covers = ({ isDefault, from, to }: PartitionDto): boolean =>
    !isDefault && (from === null || from <= month) && (to === null || to >= next);
  if (partitions.some(covers)) return 'covered';
  return partitions.some(({ isDefault }) => isDefault) ? 'default' : 'missing';
}
