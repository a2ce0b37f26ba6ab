import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '../audit/audit.module';
import { QueuesModule } from '../platform/queues/queues.module';
import { TaskRequestService } from '../platform/scheduler/task-request.service';
import { AccountErasureService, DataExportService } from './account-data.service';
import { AccountDataController, UsersController } from './users.controller';
import { AccountLimitsService, UsersService } from './users.service';
import { User } from './user.entity';

/** Accounts, data export and erasure. */
@Module({
  imports: [TypeOrmModule.forFeature([User]), AuditModule, QueuesModule],
  controllers: [UsersController, AccountDataController],
  providers: [UsersService, DataExportService, AccountLimitsService, AccountErasureService, TaskRequestService],
})
export class UsersModule {}
