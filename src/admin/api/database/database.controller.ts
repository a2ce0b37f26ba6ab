import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AdminOnly } from '../../../platform/http/access/access';
import { DatabaseMetricsService } from './database-metrics.service';
import { ConnectionsDto, DatabaseStateDto, IndexUseListDto, SlowQueriesDto, TableSizeListDto } from './database.dto';
import { PartitionedTableListDto } from './partitions.dto';

/** How PostgreSQL is doing; figures only, never a row. */
@ApiTags('Admin')
@AdminOnly()
@Controller({ path: 'admin/database', version: '1' })
export class DatabaseController {
  constructor(private readonly metrics: DatabaseMetricsService) {}

  @Get()
  @ApiOperation({
    operationId: 'getDatabaseState',
    summary: 'Read how the database is doing',
    description: 'Its size, cache hits, and the age of its materialized views.',
  })
  @ApiOkResponse({ type: DatabaseStateDto, description: 'The figures.' })
  state(): Promise<DatabaseStateDto> {
    return this.metrics.readState();
  }

  @Get('table-sizes')
  @ApiOperation({
    operationId: 'listTableSizes',
    summary: 'List the sizes of tables',
    description: 'Partitions are counted with their table.',
  })
  @ApiOkResponse({ type: TableSizeListDto, description: 'The tables.' })
  async tableSizes(): Promise<TableSizeListDto> {
    return { items: await this.metrics.listTableSizes() };
  }

  @Get('slow-queries')
  @ApiOperation({
    operationId: 'listSlowQueries',
    summary: 'List the slowest statements',
    description: 'Ten, by mean time, without values, with advice.',
  })
  @ApiOkResponse({ type: SlowQueriesDto, description: 'The statements, or why they are not known.' })
  slowQueries(): Promise<SlowQueriesDto> {
    return this.metrics.listSlowQueries();
  }

  @Get('connections')
  @ApiOperation({
    operationId: 'listDatabaseConnections',
    summary: 'Count the connections',
    description: 'Of clients, by login and database: active, idle, idle in a transaction, waiting for a lock.',
  })
  @ApiOkResponse({ type: ConnectionsDto, description: 'The connections.' })
  connections(): Promise<ConnectionsDto> {
    return this.metrics.countConnections();
  }

  @Get('partitions')
  @ApiOperation({
    operationId: 'listPartitions',
    summary: 'List the partitions',
    description: 'With how far each table is covered, and what lies in its default partition.',
  })
  @ApiOkResponse({ type: PartitionedTableListDto, description: 'The partitioned tables.' })
  async partitions(): Promise<PartitionedTableListDto> {
    return { items: await this.metrics.listPartitions() };
  }

  @Get('indexes')
  @ApiOperation({
    operationId: 'listIndexes',
    summary: 'List the use of indexes',
    description: 'Since the statistics began (`statisticsSince` of the database).',
  })
  @ApiOkResponse({ type: IndexUseListDto, description: 'The indexes.' })
  async indexes(): Promise<IndexUseListDto> {
    return { items: await this.metrics.listIndexes() };
  }
}
