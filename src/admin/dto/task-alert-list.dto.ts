import { ApiProperty } from '@nestjs/swagger';
import { TaskAlertDto } from './task-alert.dto';

/** The alerts that stand. */
export class TaskAlertListDto {
  @ApiProperty({ type: [TaskAlertDto], description: 'Newest first, 100 at most.' })
  items: TaskAlertDto[];
}
