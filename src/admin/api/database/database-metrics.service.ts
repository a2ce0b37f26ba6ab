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
import type { PartitionCoverageDto, PartitionDto, PartitionedTableDto } from './partitions.dto';

/** The schemas of the application; those of PostgreSQL and of extensions are left out. */
const OWN_SCHEMAS = `n.nspname IN ('public', 'app', 'audit', 'auth')`;

/**
 * Joins by oid, because a mixed-case name needs quoting as regclass.
 * Partitions count with their table, whose own size is 0.
 */
const TABLE_SIZES = `
  SELECT n.nspname AS "schema", root.relname AS "table", root.relkind = 'm' AS "isView",
    count(*) FILTER (WHERE c.relispartition AND c.relkind <> 'p')::integer AS partitions,
    sum(pg_total_relation_size(c.oid))::bigint AS "sizeBytes",
    pg_size_pretty(sum(pg_total_relation_size(c.oid))) AS size,
    sum(pg_indexes_size(c.oid))::bigint AS "indexBytes",
    sum(coalesce(s.n_live_tup, 0))::bigint AS "liveRows", sum(coalesce(s.n_dead_tup, 0))::bigint AS "deadRows"
  FROM pg_class c
  JOIN pg_class root ON root.oid = coalesce(pg_partition_root(c.oid), c.oid)
  JOIN pg_namespace n ON n.oid = root.relnamespace
  LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
  WHERE c.relkind IN ('r', 'm', 'p') AND ${OWN_SCHEMAS}
    AND NOT EXISTS (
      SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    )
  GROUP BY n.nspname, root.oid, root.relname, root.relkind
  ORDER BY "sizeBytes" DESC, 1, 2`;

/** Migrations and utility statements are left out: they do not run again. */
const SLOW_QUERIES = `
  SELECT s.query, r.rolname AS role, s.calls, s.total_exec_time AS "totalMs", s.mean_exec_time AS "meanMs",
    s.max_exec_time AS "maxMs", s.stddev_exec_time AS "deviationMs", s.rows, s.shared_blks_hit AS "pagesCached",
    s.shared_blks_read AS "pagesRead", s.temp_blks_written AS "pagesSpilled"
  FROM pg_stat_statements s
  JOIN pg_database d ON d.oid = s.dbid AND d.datname = current_database()
  LEFT JOIN pg_roles r ON r.oid = s.userid
  WHERE s.query ~* '^[\\s(]*(select|with|insert|update|delete|merge|values|table)\\M'
    AND r.rolname IS DISTINCT FROM 'gigvault_owner'
  ORDER BY s.mean_exec_time DESC, s.queryid
  LIMIT $1`;

/** Clients only: pg_stat_activity also lists PostgreSQL's own workers. All databases share max_connections. */
const CONNECTIONS = `
  SELECT a.usename AS role, a.datname AS "database", count(*)::integer AS total,
    count(*) FILTER (WHERE a.state = 'active')::integer AS active,
    count(*) FILTER (WHERE a.state = 'idle')::integer AS idle,
    count(*) FILTER (WHERE a.state LIKE 'idle in transaction%')::integer AS "idleInTransaction",
    count(*) FILTER (WHERE a.wait_event_type = 'Lock')::integer AS waiting,
    coalesce(max(extract(epoch FROM clock_timestamp() - a.xact_start)), 0)::float8 AS "longestTransactionSeconds",
    coalesce(
      max(extract(epoch FROM clock_timestamp() - a.state_change)) FILTER (WHERE a.state LIKE 'idle in transaction%'), 0
    )::float8 AS "longestIdleInTransactionSeconds"
  FROM pg_stat_activity a
  WHERE a.backend_type = 'client backend'
  GROUP BY 1, 2
  ORDER BY total DESC, 1, 2`;

const CONNECTION_LIMIT = `SELECT current_setting('max_connections')::integer AS max`;

/** An index of a partitioned table is the sum of its partitions' indexes. A unique index is useful without scans. */
const INDEX_USE = `
  SELECT n.nspname AS "schema", root_table.relname AS "table", root.relname AS "index",
    bool_or(x.indisunique OR x.indisexclusion) AS "isConstraint",
    sum(coalesce(s.idx_scan, 0))::bigint AS scans, sum(coalesce(s.idx_tup_read, 0))::bigint AS "rowsRead",
    sum(pg_relation_size(c.oid))::bigint AS "sizeBytes", pg_size_pretty(sum(pg_relation_size(c.oid))) AS size
  FROM pg_index x
  JOIN pg_class c ON c.oid = x.indexrelid
  JOIN pg_class root ON root.oid = coalesce(pg_partition_root(c.oid), c.oid)
  JOIN pg_class root_table ON root_table.oid = coalesce(pg_partition_root(x.indrelid), x.indrelid)
  JOIN pg_namespace n ON n.oid = root_table.relnamespace
  LEFT JOIN pg_stat_all_indexes s ON s.indexrelid = c.oid
  WHERE ${OWN_SCHEMAS}
  GROUP BY n.nspname, root_table.relname, root.oid, root.relname
  ORDER BY "isConstraint", scans, "sizeBytes" DESC, 2, 3`;

/** The cache hit ratio covers all tables and indexes since the statistics were reset. */
const DATABASE_STATE = `
  SELECT pg_database_size(d.datname)::bigint AS "sizeBytes", pg_size_pretty(pg_database_size(d.datname)) AS size,
    CASE WHEN d.blks_hit + d.blks_read = 0 THEN NULL
         ELSE round(100.0 * d.blks_hit / (d.blks_hit + d.blks_read), 2)::float8 END AS "cacheHitPercent",
    d.deadlocks, d.stats_reset AS "statisticsSince", pg_postmaster_start_time() AS "startedAt"
  FROM pg_stat_database d WHERE d.datname = current_database()`;

const MATERIALIZED_VIEWS = `
  SELECT view_name AS "view", refreshed_at AS "refreshedAt", duration_ms AS "durationMs",
    extract(epoch FROM clock_timestamp() - refreshed_at)::float8 AS "ageSeconds"
  FROM app.view_refreshes ORDER BY 1`;

/** Infinite bounds become null: JSON has no infinity. */
const PARTITION_COVERAGE = `
  SELECT c.table_name AS "table", c.covered_until > now() AS "isCovered",
    nullif(c.covered_until, 'infinity') AS "coveredUntil",
    least(floor(extract(epoch FROM c.covered_until - now()) / 86400), 36500)::integer AS "daysCovered",
    s.default_rows AS "rowsInDefault", s.oldest AS "oldestInDefault", s.newest AS "newestInDefault"
  FROM app.partition_coverage() c JOIN app.default_partition_rows() s ON s.table_name = c.table_name
  ORDER BY 1`;

const PARTITIONS = `
  SELECT p.table_name AS "table", c.relname AS name, p.is_default AS "isDefault",
    CASE WHEN isfinite(p.valid_from) THEN p.valid_from END AS "from",
    CASE WHEN isfinite(p.valid_to) THEN p.valid_to END AS "to",
    pg_total_relation_size(c.oid)::bigint AS "sizeBytes", pg_size_pretty(pg_total_relation_size(c.oid)) AS size,
    coalesce(s.n_live_tup, 0)::bigint AS "liveRows"
  FROM app.partitions() p
  JOIN pg_class c ON c.oid = p.partition
  LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
  ORDER BY p.table_name, p.is_default, p.valid_from`;

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
