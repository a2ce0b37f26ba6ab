import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditHistoryController } from './history/audit-history.controller';
import { AdminLogsController, AuditController } from './logs/audit.controller';
import { AuditLog, SecurityLog } from './logs/audit-log.entity';
import { AuditHistoryService, AuditLogsService } from './logs/audit-logs.service';
import { AuditSubscriber } from './audit.subscriber';
import { AuditProofsService } from './seals/audit-proofs.service';
import { RecordVersionsService } from './history/record-versions.service';
import { SecurityLogsService } from './logs/security-logs.service';

/** Records entity changes and serves both logs. A process without this module cannot commit entity changes. */
@Module({
  imports: [TypeOrmModule.forFeature([AuditLog, SecurityLog])],
  controllers: [AuditController, AuditHistoryController, AdminLogsController],
  providers: [
    ...[AuditSubscriber, AuditHistoryService, AuditLogsService, AuditProofsService, SecurityLogsService],
    RecordVersionsService,
  ],
  exports: [AuditHistoryService, SecurityLogsService],
})
export class AuditModule {}
