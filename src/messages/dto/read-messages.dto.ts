import { ApiProperty } from '@nestjs/swagger';
import { IsInt, Max, Min } from 'class-validator';

/** Which messages were read: all about one job. */
export class ReadMessagesDto {
  @ApiProperty({ type: 'integer', minimum: 1, description: 'The job whose messages were read.', example: 42 })
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  jobId: number;
}
