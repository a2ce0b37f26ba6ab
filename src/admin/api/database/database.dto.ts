import { ApiProperty } from '@nestjs/swagger';
import { getQueryAdvice, type StatementStats, stripLiterals } from './query-advice';

/** How fresh a materialized view is. */
export class ViewStateDto {
  @ApiProperty({ type: String, description: 'Its name.', example: 'user_job_stats' })
  view: string;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'The instant its numbers are of.',
    example: '2026-01-31T09:30:00.000Z',
  })
  refreshedAt: Date;

  @ApiProperty({ type: Number, description: 'How long that is ago.', example: 12.5 })
  ageSeconds: number;

  @ApiProperty({ type: 'integer', description: 'How long its last refresh took.', example: 95 })
  durationMs: number;
}

/** The database as a whole. */
export class DatabaseStateDto {
  @ApiProperty({ type: 'integer', description: 'Its size.', example: 16777216 })
  sizeBytes: number;

  @ApiProperty({ type: String, description: 'The same, for people.', example: '16 MB' })
  size: string;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Pages found in shared_buffers since statisticsSince, of 100; null before the first page.',
    example: 99.4,
  })
  cacheHitPercent: number | null;

  @ApiProperty({ type: 'integer', description: 'Deadlocks since statisticsSince.', example: 0 })
  deadlocks: number;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When counting began; null when it never began anew.',
    example: '2026-01-01T00:00:00.000Z',
  })
  statisticsSince: Date | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    description: 'When PostgreSQL was started.',
    example: '2026-01-01T00:00:00.000Z',
  })
  startedAt: Date;

  @ApiProperty({ type: [ViewStateDto], description: 'Its materialized views.' })
  views: ViewStateDto[];
}

/** Connections of one login to one database. */
export class ConnectionGroupDto {
  @ApiProperty({ type: String, description: 'The login.', example: 'gigvault_app' })
  role: string;

  @ApiProperty({
    type: String,
    description: 'The database; all of a cluster share max_connections.',
    example: 'gigvault',
  })
  database: string;

  @ApiProperty({ type: 'integer', description: 'Connections.', example: 10 })
  total: number;

  @ApiProperty({ type: 'integer', description: 'Running a statement.', example: 1 })
  active: number;

  @ApiProperty({ type: 'integer', description: 'Waiting for a client.', example: 9 })
  idle: number;

  @ApiProperty({ type: 'integer', description: 'Waiting for a client inside a transaction, locks held.', example: 0 })
  idleInTransaction: number;

  @ApiProperty({ type: 'integer', description: 'Waiting for a lock.', example: 0 })
  waiting: number;

  @ApiProperty({ type: Number, description: 'Age of the oldest transaction.', example: 0.02 })
  longestTransactionSeconds: number;

  @ApiProperty({ type: Number, description: 'How long the longest idle transaction has been idle.', example: 0 })
  longestIdleInTransactionSeconds: number;
}

/** The connections of clients; background workers of PostgreSQL are none. */
export class ConnectionsDto {
  @ApiProperty({ type: 'integer', description: 'max_connections of the cluster.', example: 100 })
  max: number;

  @ApiProperty({ type: 'integer', description: 'Connections.', example: 34 })
  total: number;

  @ApiProperty({ type: 'integer', description: 'Running a statement.', example: 2 })
  active: number;

  @ApiProperty({ type: 'integer', description: 'Waiting for a client.', example: 32 })
  idle: number;

  @ApiProperty({ type: 'integer', description: 'Waiting for a client inside a transaction.', example: 0 })
  idleInTransaction: number;

  @ApiProperty({ type: 'integer', description: 'Waiting for a lock.', example: 0 })
  waiting: number;

  @ApiProperty({ type: [ConnectionGroupDto], description: 'By login and database, most first.' })
  items: ConnectionGroupDto[];
}

const MAX_QUERY_LENGTH = 2_000;

/** A row of pg_stat_statements. */
export interface SlowQueryRow extends StatementStats {
  readonly query: string;
  readonly role: string | null;
  readonly maxMs: number;
}

/** A statement that takes long, by pg_stat_statements. */
export class SlowQueryDto {
  @ApiProperty({
    type: String,
    description: 'Its text without values, 2,000 characters at most.',
    example: 'SELECT * FROM jobs WHERE id = $1',
  })
  query: string;

  @ApiProperty({ type: String, nullable: true, description: 'The role it ran as.', example: 'gigvault_app' })
  role: string | null;

  @ApiProperty({ type: 'integer', description: 'How often it ran.', example: 120 })
  calls: number;

  @ApiProperty({ type: Number, description: 'Time of all calls.', example: 1440 })
  totalMs: number;

  @ApiProperty({ type: Number, description: 'Time of a call.', example: 12 })
  meanMs: number;

  @ApiProperty({ type: Number, description: 'Time of the longest call.', example: 80.5 })
  maxMs: number;

  @ApiProperty({ type: 'integer', description: 'Rows of all calls.', example: 2400 })
  rows: number;

  @ApiProperty({ type: String, description: 'What to do about it.', example: 'Quick enough.' })
  advice: string;

  /** Shows a statement without its values. */
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

/** The statements that take longest. */
export class SlowQueriesDto {
  @ApiProperty({ type: [SlowQueryDto], description: 'Ten at most, by mean time; without what migrations ran.' })
  items: SlowQueryDto[];

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Why nothing is known of them, and what to do; null when it is.',
    example: null,
  })
  unavailable: string | null;
}

/** How large a table is, its partitions included. */
export class TableSizeDto {
  @ApiProperty({ type: String, description: 'Its schema.', example: 'public' })
  schema: string;

  @ApiProperty({ type: String, description: 'Its name, whatever its letters.', example: 'audit_logs' })
  table: string;

  @ApiProperty({ type: Boolean, description: 'It is a materialized view.', example: false })
  isView: boolean;

  @ApiProperty({ type: 'integer', description: 'Partitions counted in.', example: 4 })
  partitions: number;

  @ApiProperty({ type: 'integer', description: 'With indexes and what is kept aside (TOAST).', example: 1638400 })
  sizeBytes: number;

  @ApiProperty({ type: String, description: 'The same, for people.', example: '1600 kB' })
  size: string;

  @ApiProperty({ type: 'integer', description: 'The part of the indexes.', example: 737280 })
  indexBytes: number;

  @ApiProperty({ type: 'integer', description: 'Rows, as PostgreSQL estimates.', example: 5200 })
  liveRows: number;

  @ApiProperty({ type: 'integer', description: 'Rows left for vacuum, as PostgreSQL estimates.', example: 12 })
  deadRows: number;
}

/** The tables and materialized views. */
export class TableSizeListDto {
  @ApiProperty({ type: [TableSizeDto], description: 'Largest first.' })
  items: TableSizeDto[];
}

/** How an index is used since the statistics began; one of a partitioned table is the sum of its parts. */
export class IndexUseDto {
  @ApiProperty({ type: String, description: "Its table's schema.", example: 'public' })
  schema: string;

  @ApiProperty({ type: String, description: 'Its table.', example: 'jobs' })
  table: string;

  @ApiProperty({ type: String, description: 'Its name.', example: 'idx_jobs_status' })
  index: string;

  @ApiProperty({ type: Boolean, description: 'It keeps rows unique, so it is of use without a scan.', example: false })
  isConstraint: boolean;

  @ApiProperty({ type: 'integer', description: 'Scans.', example: 1200 })
  scans: number;

  @ApiProperty({ type: 'integer', description: 'Entries read by them.', example: 24000 })
  rowsRead: number;

  @ApiProperty({ type: 'integer', description: 'Its size.', example: 81920 })
  sizeBytes: number;

  @ApiProperty({ type: String, description: 'The same, for people.', example: '80 kB' })
  size: string;
}

/** The indexes. */
export class IndexUseListDto {
  @ApiProperty({ type: [IndexUseDto], description: 'Those nobody uses first.' })
  items: IndexUseDto[];
}
