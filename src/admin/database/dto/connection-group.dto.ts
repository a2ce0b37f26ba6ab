import { ApiProperty } from '@nestjs/swagger';

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
