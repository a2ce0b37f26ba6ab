import { ApiProperty } from '@nestjs/swagger';
import { SyncDto } from './sync.dto';

/** Synchronisations, one for each kind of each connection. */
export class SyncListDto {
  @ApiProperty({ type: [SyncDto], description: 'The synchronisations.' })
  items: SyncDto[];
}
