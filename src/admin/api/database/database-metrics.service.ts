import { Injectable } from '@nestjs/common';
import type { UnitOfWork } from '../../../platform/database/unit-of-work';
import { SystemDatabase } from '../../../platform/database/system-database';
import {
  type ConnectionGroupDto,
  type ConnectionsDto,
  type DatabaseStateDto,
  type IndexUseDto,
  type SlowQueriesDto,
  SlowQueryDto,
  type SlowQueryRow,
  type TableSizeDto,
  type ViewStateDto,
} from './database.dto';
import { type PartitionCoverageDto, type PartitionDto, type PartitionedTableDto } from './partitions.dto';
import {
  CONNECTION_LIMIT,
  CONNECTIONS,
  PARTITION_COVERAGE,
  DATABASE_STATE,
  INDEX_USE,
  PARTITIONS,
  SLOW_QUERIES,
  TABLE_SIZES,
  MATERIALIZED_VIEWS,
} from './database-metrics.queries';

const SLOW_QUERIES_SHOWN = 10;

/** SQLSTATE: 42P01 the view does not exist; 55000 its library is not loaded. */
const STATEMENT_STATISTICS_MISSING: ReadonlySet<unknown> = new Set(['42P01', '55000']);

/** The database metrics that the dashboard shows. */
export interface DatabaseOverview {
  readonly state: DatabaseStateDto;
  readonly connections: ConnectionsDto;
  readonly partitions: readonly PartitionedTableDto[];
  readonly tableSizes: readonly TableSizeDto[];
  readonly slowQueries: SlowQueriesDto;
  readonly indexes: readonly IndexUseDto[];
}

/**
 * Reads PostgreSQL's statistics. Runs as gigvault_monitor, which cannot read tenants' rows. Each query takes a few
 * milliseconds; the sizes of many partitions take tens.
 */
@Injectable()
export class DatabaseMetricsService {
  constructor(private readonly system: SystemDatabase) {}

  /** Returns all metrics. */
  async readOverview(): Promise<DatabaseOverview> {
    const [state, connections, partitions, tableSizes, slowQueries, indexes] = await Promise.all([
      this.readState(),
      this.countConnections(),
      this.listPartitions(),
      this.listTableSizes(),
      this.listSlowQueries(),
      this.listIndexes(),
    ]);
    return { state, connections, partitions, tableSizes, slowQueries, indexes };
  }

  /** Returns the size of the database, its cache hits since statisticsSince, and the age of the materialized views. */
  async readState(): Promise<DatabaseStateDto> {
    return this.system.asMonitor(async (unit) => {
      const [[state], views] = await Promise.all([
        unit.query<Omit<DatabaseStateDto, 'views'>>(DATABASE_STATE),
        unit.query<ViewStateDto>(MATERIALIZED_VIEWS),
      ]);
      return { ...state!, views };
    });
  }

  /** Lists the sizes of tables and materialized views, partitions with their table, largest first. */
  listTableSizes(): Promise<TableSizeDto[]> {
    return this.system.asMonitor((unit) => unit.query<TableSizeDto>(TABLE_SIZES));
  }

  /** Lists the ten statements with the longest mean time, without values, with advice; or why they are unknown. */
  async listSlowQueries(): Promise<SlowQueriesDto> {
    try {
      const rows = await this.system.asMonitor((unit) => unit.query<SlowQueryRow>(SLOW_QUERIES, [SLOW_QUERIES_SHOWN]));
      return { items: rows.map(SlowQueryDto.from), unavailable: null };
    } catch (error) {
      if (!STATEMENT_STATISTICS_MISSING.has((error as { code?: unknown }).code)) throw error;
      return {
        items: [],
        unavailable:
          'pg_stat_statements is missing: add it to shared_preload_libraries and run docker/postgres/bootstrap.sql',
      };
    }
  }

  /** Counts client connections by login and database; `waiting` counts those that wait for a lock. */
  async countConnections(): Promise<ConnectionsDto> {
    return this.system.asMonitor(async (unit) => {
      const [items, [limit]] = await Promise.all([
        unit.query<ConnectionGroupDto>(CONNECTIONS),
        unit.query<{ max: number }>(CONNECTION_LIMIT),
      ]);
      const sum = (key: 'total' | 'active' | 'idle' | 'idleInTransaction' | 'waiting'): number =>
        items.reduce((all, item) => all + item[key], 0);
      return {
        max: limit!.max,
        total: sum('total'),
        active: sum('active'),
        idle: sum('idle'),
        idleInTransaction: sum('idleInTransaction'),
        waiting: sum('waiting'),
        items,
      };
    });
  }

  /** Returns the coverage of each partitioned table and the rows in its default partition. */
  readCoverage(): Promise<PartitionCoverageDto[]> {
    return this.system.asMonitor(selectCoverage);
  }

  /** Returns the coverage of each partitioned table, the rows in its default partition, and its partitions in order. */
  async listPartitions(): Promise<PartitionedTableDto[]> {
    const [tables, partitions] = await this.system.asMonitor((unit) =>
      Promise.all([selectCoverage(unit), selectPartitions(unit)]),
    );
    return tables.map((table) => ({
      ...table,
      partitions: partitions.filter((partition) => partition.table === table.table),
    }));
  }

  /** Lists the indexes, unused ones first; a unique index is useful without scans. */
  listIndexes(): Promise<IndexUseDto[]> {
    return this.system.asMonitor((unit) => unit.query<IndexUseDto>(INDEX_USE));
  }
}

function selectCoverage(unit: UnitOfWork): Promise<PartitionCoverageDto[]> {
  return unit.query(PARTITION_COVERAGE);
}

function selectPartitions(unit: UnitOfWork): Promise<PartitionDto[]> {
  return unit.query<PartitionDto>(PARTITIONS);
}
