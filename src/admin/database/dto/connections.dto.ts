import { ApiProperty } from '@nestjs/swagger';
import { ConnectionGroupDto } from './connection-group.dto';

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
