import { ApiProperty } from '@nestjs/swagger';

/** How many messages wait to be read. */
export class UnreadCountDto {
  @ApiProperty({ type: 'integer', description: "How many of the clients' messages are unread.", example: 3 })
  unread: number;
}
