import { Injectable } from '@nestjs/common';
import type { VNode } from 'preact';
import { DatabaseMetricsService } from '../../api/database/database-metrics.service';
import { type PartitionDto, type PartitionedTableDto } from '../../api/database/partitions.dto';
import { type Column, Table, Tag, Timestamp, type Panel } from '../components/page';
import { formatBytes } from '../components/format';

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

  async render(): Promise<VNode> {
    const tables = await this.metrics.listPartitions();
    return (
      <>
        <p>
          Yearly partitions are created in advance by <a href="/admin/tasks/create-partitions">create-partitions</a>.
        </p>
        <Legend />
        {tables.map((table) => (
          <Calendar partitionedTable={table} />
        ))}
        <h2>Sizes</h2>
        <div class="card">
          <Table
            caption="Partitions with their sizes"
            columns={COLUMNS}
            rows={tables.flatMap(({ partitions }) => partitions)}
            empty="No partitioned tables."
          />
        </div>
      </>
    );
  }
}

function Legend(): VNode {
  return (
    <p class="legend">
      {(['covered', 'default', 'missing'] as const).map((state) => (
        <>
          <span class="nowrap">
            <i class={`swatch month-${state}`}></i>
            {state}: {MONTH_STATE_TEXTS[state]}
          </span>{' '}
        </>
      ))}
    </p>
  );
}

function Calendar({ partitionedTable }: { partitionedTable: PartitionedTableDto }): VNode {
  const { table, partitions } = partitionedTable;
  return (
    <section class="card calendar-card">
      <div class="row">
        <h2>{table}</h2> <Coverage {...partitionedTable} />
      </div>
      <table class="calendar">
        <caption>Months of {table} covered by partitions</caption>
        <thead>
          <tr>
            <th scope="col">
              <span class="hidden">Year</span>
            </th>
            {MONTHS.map((month) => (
              <th scope="col">{month}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {listYears(partitions).map((year) => (
            <tr>
              <th scope="row">{year}</th>
              {MONTHS.map((_, month) => (
                <MonthCell year={year} month={month} partitions={partitions} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Lists the years to show: from the first partition, but not long ago, to some years ahead. */
function listYears(partitions: readonly PartitionDto[]): number[] {
  const current = new Date().getUTCFullYear();
  const starts = partitions.flatMap(({ from }) => (from === null ? [] : [from.getUTCFullYear()]));
  const first = Math.max(current - YEARS_BACK, Math.min(current, ...starts));
  return Array.from({ length: current + YEARS_AHEAD - first + 1 }, (_, i) => first + i);
}

interface MonthCellProps {
  readonly year: number;
  readonly month: number;
  readonly partitions: readonly PartitionDto[];
}

function MonthCell({ year, month, partitions }: MonthCellProps): VNode {
  const now = new Date();
  const state = getMonthState(new Date(Date.UTC(year, month, 1)), partitions);
  const isNow = year === now.getUTCFullYear() && month === now.getUTCMonth();
  const name = `${year}-${String(month + 1).padStart(2, '0')}`;
  return (
    <td class={`month-${state}${isNow ? ' now' : ''}`} title={`${name}: ${MONTH_STATE_TEXTS[state]}`}>
      <span class="hidden">{state}</span>
    </td>
  );
}

function Coverage({
  isCovered,
  coveredUntil,
  daysCovered,
  rowsInDefault,
  oldestInDefault,
}: PartitionedTableDto): VNode {
  const until =
    coveredUntil === null ? 'without end' : `until ${coveredUntil.toISOString().slice(0, 10)}, ${daysCovered} days`;
  return (
    <span>
      {isCovered ? <span class="muted">covered {until}</span> : <Tag tone="bad" text="no partition for today" />}{' '}
      <DefaultRows rows={rowsInDefault} oldest={oldestInDefault} />
    </span>
  );
}

function DefaultRows({ rows, oldest }: { rows: number | null; oldest: Date | null }): VNode | null {
  if (rows === null) return <Tag tone="bad" text="no default partition" />;
  if (rows === 0) return null;
  return (
    <>
      <Tag tone="warn" text={`${rows} rows in default`} />{' '}
      <span class="muted">
        since <Timestamp at={oldest} />
      </span>
    </>
  );
}

/** Returns the state of a month; it is covered only if the whole month is. */
function getMonthState(month: Date, partitions: readonly PartitionDto[]): MonthState {
  const next = new Date(Date.UTC(month.getUTCFullYear(), month.getUTCMonth() + 1, 1));
  const covers = ({ isDefault, from, to }: PartitionDto): boolean =>
    !isDefault && (from === null || from <= month) && (to === null || to >= next);
  if (partitions.some(covers)) return 'covered';
  return partitions.some(({ isDefault }) => isDefault) ? 'default' : 'missing';
}
