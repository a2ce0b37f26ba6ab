import { ApiProperty } from '@nestjs/swagger';
import { AuditLogDto } from './audit-log.dto';

/** One row of the audit log of all tenants. */
export class AdminAuditLogDto extends AuditLogDto {
  @ApiProperty({ type: 'integer', nullable: true, description: 'The tenant whose row changed.', example: 7 })
  userId: number | null;
}
