import { ApiProperty } from '@nestjs/swagger';
import { TaskDto } from './task.dto';

/** All scheduled tasks; there are few, so there are no pages. */
export class TaskListDto {
  @ApiProperty({ type: [TaskDto], description: 'The tasks, in the order of their declaration.' })
  items: TaskDto[];
}
