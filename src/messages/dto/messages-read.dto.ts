import { ApiProperty } from '@nestjs/swagger';

/** How many messages became read. */
export class MessagesReadDto {
  @ApiProperty({ type: 'integer', description: 'How many were unread before.', example: 3 })
  updated: number;
}
