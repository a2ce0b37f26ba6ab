import { ApiProperty } from '@nestjs/swagger';
import { ApiInstant } from '../../../platform/http/openapi/dto-fields';
import { getQueryAdvice, type StatementStats, stripLiterals } from './query-advice';

/** The age of a materialized view. */
export class ViewStateDto {
  @ApiProperty({ type: String, description: 'Name of the view.', example: 'user_job_stats' })
  view: string;

  @ApiInstant({ description: 'When the view was last refreshed (UTC).' })
  refreshedAt: Date;

  @ApiProperty({ type: Number, description: 'Time since the last refresh, in seconds.', example: 12.5 })
  ageSeconds: number;

  @ApiProperty({ type: 'integer', description: 'Duration of the last refresh, in milliseconds.', example: 95 })
  durationMs: number;
}

/** The database as a whole. */
export class DatabaseStateDto {
  @ApiProperty({ type: 'integer', description: 'Size of the database, in bytes.', example: 16777216 })
  sizeBytes: number;

  @ApiProperty({ type: String, description: 'Size in a readable unit.', example: '16 MB' })
  size: string;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Percentage of pages found in shared_buffers since `statisticsSince`. Null before the first read.',
    example: 99.4,
  })
  cacheHitPercent: number | null;

  @ApiProperty({ type: 'integer', description: 'Deadlocks since `statisticsSince`.', example: 0 })
  deadlocks: number;

  @ApiInstant({
    nullable: true,
    description: 'When the statistics were last reset (UTC). Null when never.',
    example: '2026-01-01T00:00:00.000Z',
  })
  statisticsSince: Date | null;

  @ApiInstant({ description: 'When PostgreSQL was started (UTC).', example: '2026-01-01T00:00:00.000Z' })
  startedAt: Date;

  @ApiProperty({ type: [ViewStateDto], description: 'The materialized views of the database.' })
  views: ViewStateDto[];
}

/** Connections of one login to one database. */
export class ConnectionGroupDto {
  @ApiProperty({ type: String, description: 'Login of the clients.', example: 'gigvault_app' })
  role: string;

  @ApiProperty({
    type: String,
    description: 'Name of the database. All databases of a cluster share max_connections.',
    example: 'gigvault',
  })
  database: string;

  @ApiProperty({ type: 'integer', description: 'Number of connections.', example: 10 })
  total: number;

  @ApiProperty({ type: 'integer', description: 'Connections running a statement.', example: 1 })
  active: number;

  @ApiProperty({ type: 'integer', description: 'Connections waiting for their client.', example: 9 })
  idle: number;

  @ApiProperty({
    type: 'integer',
    description: 'Connections waiting for their client inside a transaction, which keeps locks.',
    example: 0,
  })
  idleInTransaction: number;

  @ApiProperty({ type: 'integer', description: 'Connections waiting for a lock.', example: 0 })
  waiting: number;

  @ApiProperty({ type: Number, description: 'Age of the oldest transaction, in seconds.', example: 0.02 })
  longestTransactionSeconds: number;

  @ApiProperty({ type: Number, description: 'Longest idle time inside a transaction, in seconds.', example: 0 })
  longestIdleInTransactionSeconds: number;
}

/** Client connections; PostgreSQL's background workers are not counted. */
export class ConnectionsDto {
  @ApiProperty({
    type: 'integer',
    description: 'Maximum number of connections of the cluster (max_connections).',
    example: 100,
  })
  max: number;

  @ApiProperty({ type: 'integer', description: 'Number of connections.', example: 34 })
  total: number;

  @ApiProperty({ type: 'integer', description: 'Connections running a statement.', example: 2 })
  active: number;

  @ApiProperty({ type: 'integer', description: 'Connections waiting for their client.', example: 32 })
  idle: number;

  @ApiProperty({
    type: 'integer',
    description: 'Connections waiting for their client inside a transaction.',
    example: 0,
  })
  idleInTransaction: number;

  @ApiProperty({ type: 'integer', description: 'Connections waiting for a lock.', example: 0 })
  waiting: number;

  @ApiProperty({ type: [ConnectionGroupDto], description: 'Connections by login and database, most first.' })
  items: ConnectionGroupDto[];
}

const MAX_QUERY_LENGTH = 2_000;

/** A row of pg_stat_statements. */
export interface SlowQueryRow extends StatementStats {
  readonly query: string;
  readonly role: string | null;
  readonly maxMs: number;
}

/** A slow statement of pg_stat_statements. */
export class SlowQueryDto {
  @ApiProperty({
    type: String,
    description: 'Text of the statement without values, at most 2,000 characters.',
    example: 'SELECT * FROM jobs WHERE id = $1',
  })
  query: string;

  @ApiProperty({ type: String, nullable: true, description: 'Role that ran the statement.', example: 'gigvault_app' })
  role: string | null;

  @ApiProperty({ type: 'integer', description: 'Number of calls.', example: 120 })
  calls: number;

  @ApiProperty({ type: Number, description: 'Total time of all calls, in milliseconds.', example: 1440 })
  totalMs: number;

  @ApiProperty({ type: Number, description: 'Mean time of a call, in milliseconds.', example: 12 })
  meanMs: number;

  @ApiProperty({ type: Number, description: 'Time of the longest call, in milliseconds.', example: 80.5 })
  maxMs: number;

  @ApiProperty({ type: 'integer', description: 'Rows returned or affected by all calls.', example: 2400 })
  rows: number;

  @ApiProperty({ type: String, description: 'Advice for the statement.', example: 'Fast enough.' })
  advice: string;

  /** Removes the values of a statement and adds advice. */
  static from(this: void, row: SlowQueryRow): SlowQueryDto {
    const { role, calls, totalMs, meanMs, maxMs, rows } = row;
    return {
      query: stripLiterals(row.query).slice(0, MAX_QUERY_LENGTH),
      role,
      calls,
      totalMs,
      meanMs,
      maxMs,
      rows,
      advice: getQueryAdvice(row),
    };
  }
}

/** The slowest statements. */
export class SlowQueriesDto {
  @ApiProperty({
    type: [SlowQueryDto],
    description: 'At most ten statements by mean time, without those of migrations.',
  })
  items: SlowQueryDto[];

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Reason why the statements are unknown, with the remedy. Null when they are known.',
    example: null,
  })
  unavailable: string | null;
}

/** The size of a table, partitions included. */
export class TableSizeDto {
  @ApiProperty({ type: String, description: 'Schema of the table.', example: 'public' })
  schema: string;

  @ApiProperty({ type: String, description: 'Name of the table, in its own letter case.', example: 'audit_logs' })
  table: string;

  @ApiProperty({ type: Boolean, description: 'True when it is a materialized view.', example: false })
  isView: boolean;

  @ApiProperty({ type: 'integer', description: 'Number of partitions included.', example: 4 })
  partitions: number;

  @ApiProperty({ type: 'integer', description: 'Size with indexes and TOAST, in bytes.', example: 1638400 })
  sizeBytes: number;

  @ApiProperty({ type: String, description: 'Size in a readable unit.', example: '1600 kB' })
  size: string;

  @ApiProperty({ type: 'integer', description: 'Size of the indexes, in bytes.', example: 737280 })
  indexBytes: number;

  @ApiProperty({ type: 'integer', description: 'Number of rows, as estimated by PostgreSQL.', example: 5200 })
  liveRows: number;

  @ApiProperty({
    type: 'integer',
    description: 'Dead rows that vacuum will remove, as estimated by PostgreSQL.',
    example: 12,
  })
  deadRows: number;
}

/** The tables and materialized views. */
export class TableSizeListDto {
  @ApiProperty({ type: [TableSizeDto], description: 'Tables and materialized views, largest first.' })
  items: TableSizeDto[];
}

/** The usage of an index since the statistics were reset; partitions are summed up. */
export class IndexUseDto {
  @ApiProperty({ type: String, description: 'Schema of the table.', example: 'public' })
  schema: string;

  @ApiProperty({ type: String, description: 'Table of the index.', example: 'jobs' })
  table: string;

  @ApiProperty({ type: String, description: 'Name of the index.', example: 'idx_jobs_status' })
  index: string;

  @ApiProperty({
    type: Boolean,
    description: 'True when it enforces a constraint and so is useful without scans.',
    example: false,
  })
  isConstraint: boolean;

  @ApiProperty({ type: 'integer', description: 'Number of scans.', example: 1200 })
  scans: number;

  @ApiProperty({ type: 'integer', description: 'Index entries read by the scans.', example: 24000 })
  rowsRead: number;

  @ApiProperty({ type: 'integer', description: 'Size of the index, in bytes.', example: 81920 })
  sizeBytes: number;

  @ApiProperty({ type: String, description: 'Size in a readable unit.', example: '80 kB' })
  size: string;
}

/** The indexes. */
export class IndexUseListDto {
  @ApiProperty({ type: [IndexUseDto], description: 'Indexes, unused ones first.' })
  items: IndexUseDto[];
}
