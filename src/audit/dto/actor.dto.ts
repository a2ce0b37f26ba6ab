import { ApiProperty } from '@nestjs/swagger';

/** What can cause a change; the CHECK of audit_logs.actor_kind lists the same. */
export const ACTOR_KINDS = ['user', 'admin', 'task', 'database'] as const;

/** Who caused a change. */
export class ActorDto {
  @ApiProperty({
    enum: ACTOR_KINDS,
    description: 'A signed-in user or admin, a task, or somebody at the database itself.',
    example: 'user',
  })
  kind: (typeof ACTOR_KINDS)[number];

  @ApiProperty({ type: 'integer', nullable: true, description: 'The id of the user or admin, else null.', example: 7 })
  id: number | null;
}
