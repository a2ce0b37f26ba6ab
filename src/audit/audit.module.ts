import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditHistoryController } from './history/audit-history.controller';
import { AdminLogsController, AuditController } from './logs/audit.controller';
import { declareConstraint } from '../platform/errors/postgres-errors';
import { AuditLog, SecurityLog } from './logs/audit-log.entity';
import { AuditHistoryService, AuditLogsService } from './logs/audit-logs.service';
import { AuditSubscriber } from './audit.subscriber';
import { AccountExportController, InstallationExportController } from './export/audit-export.controller';
import { AccountExportService } from './export/account-export.service';
import { InstallationExportService } from './export/installation-export.service';
import { AuditProofsService } from './seals/audit-proofs.service';
import { RecordRestoreService } from './history/record-restore.service';
import { RecordVersionsService } from './history/record-versions.service';
import { RequestUndoService } from './history/request-undo.service';
import { AdminWitnessController, WitnessController } from './witnesses/witness.controller';
import { WitnessService } from './witnesses/witness.service';
import { SecurityLogsService } from './logs/security-logs.service';

declareConstraint('verifications_times', {
  code: 'validation.failed',
  pointer: '/to',
  message: 'to must be after from.',
});

/** Records entity changes and serves both logs. A process without this module cannot commit entity changes. */
@Module({
  imports: [TypeOrmModule.forFeature([AuditLog, SecurityLog])],
  controllers: [
    WitnessController,
    AdminWitnessController,
    AccountExportController,
    InstallationExportController,
    AuditController,
    AuditHistoryController,
    AdminLogsController,
  ],
  providers: [
    AccountExportService,
    InstallationExportService,
    AuditSubscriber,
    AuditHistoryService,
    AuditLogsService,
    AuditProofsService,
    RecordRestoreService,
    RecordVersionsService,
    RequestUndoService,
    SecurityLogsService,
    WitnessService,
  ],
  exports: [AuditHistoryService, RecordRestoreService, SecurityLogsService],
})
export class AuditModule {}
