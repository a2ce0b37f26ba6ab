import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AdminLogsController } from './admin-logs.controller';
import { AuditLog } from './audit-log.entity';
import { AuditController } from './audit.controller';
import { AuditHistory } from './audit-history.service';
import { AuditLogsService } from './audit-logs.service';
import { AuditSubscriber } from './audit.subscriber';
import { SecurityLog } from './security-log.entity';
import { SecurityLogsService } from './security-logs.service';

/** Writes down every entity change, and reads what is written; a process without it cannot commit entity work. */
@Module({
  imports: [TypeOrmModule.forFeature([AuditLog, SecurityLog])],
  controllers: [AuditController, AdminLogsController],
  providers: [AuditSubscriber, AuditHistory, AuditLogsService, SecurityLogsService],
  exports: [AuditHistory, SecurityLogsService],
})
export class AuditModule {}
