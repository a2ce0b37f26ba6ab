import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AdminOnly } from '../../../platform/http/access/access';
import { DatabaseMetricsService } from './database-metrics.service';
import { ConnectionsDto, DatabaseStateDto, IndexUseListDto, SlowQueriesDto, TableSizeListDto } from './database.dto';
import { PartitionedTableListDto } from './partitions.dto';

/** Routes for database metrics: statistics only, never a row. */
@ApiTags('Admin')
@AdminOnly()
@Controller({ path: 'admin/database', version: '1' })
export class DatabaseController {
  constructor(private readonly metrics: DatabaseMetricsService) {}

  @Get()
  @ApiOperation({
    operationId: 'getDatabaseState',
    summary: 'Get the database state',
    description: 'Size, cache hits, deadlocks, and the age of the materialized views.',
  })
  @ApiOkResponse({ type: DatabaseStateDto, description: 'The state of the database.' })
  state(): Promise<DatabaseStateDto> {
    return this.metrics.readState();
  }

  @Get('table-sizes')
  @ApiOperation({
    operationId: 'listTableSizes',
    summary: 'List table sizes',
    description: 'Largest first. Partitions are counted with their table.',
  })
  @ApiOkResponse({ type: TableSizeListDto, description: 'The tables.' })
  async tableSizes(): Promise<TableSizeListDto> {
    return { items: await this.metrics.listTableSizes() };
  }

  @Get('slow-queries')
  @ApiOperation({
    operationId: 'listSlowQueries',
    summary: 'List slow queries',
    description: 'The ten statements with the longest mean time, without values, each with advice.',
  })
  @ApiOkResponse({ type: SlowQueriesDto, description: 'The statements, or the reason why they are unknown.' })
  slowQueries(): Promise<SlowQueriesDto> {
    return this.metrics.listSlowQueries();
  }

  @Get('connections')
  @ApiOperation({
    operationId: 'listDatabaseConnections',
    summary: 'List database connections',
    description: 'Client connections by login and database: active, idle, idle in a transaction, waiting for a lock.',
  })
  @ApiOkResponse({ type: ConnectionsDto, description: 'The connection counts.' })
  connections(): Promise<ConnectionsDto> {
    return this.metrics.countConnections();
  }

  @Get('partitions')
  @ApiOperation({
    operationId: 'listPartitions',
    summary: 'List partitions',
    description: 'By table, with its coverage in time and the rows in its default partition.',
  })
  @ApiOkResponse({ type: PartitionedTableListDto, description: 'The partitioned tables.' })
  async partitions(): Promise<PartitionedTableListDto> {
    return { items: await this.metrics.listPartitions() };
  }

  @Get('indexes')
  @ApiOperation({
    operationId: 'listIndexes',
    summary: 'List index usage',
    description: 'Scans since `statisticsSince` of the database. Unused indexes come first.',
  })
  @ApiOkResponse({ type: IndexUseListDto, description: 'The indexes.' })
  async indexes(): Promise<IndexUseListDto> {
    return { items: await this.metrics.listIndexes() };
  }
}
