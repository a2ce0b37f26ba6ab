import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '../audit/audit.module';
import { declareConstraint } from '../platform/errors/postgres-errors';
import { UpworkJobsService } from './upwork-jobs.service';
import { IdempotentImportService } from './import/idempotent-import.service';
import { JobsImportController } from './import/jobs-import.controller';
import { JobsImportService } from './import/jobs-import.service';
import { BodySpool } from './import/import-file';
import { Job } from './job.entity';
import { JobsController } from './jobs.controller';
import { JobsService } from './jobs.service';

declareConstraint('jobs_source_key_key', {
  code: 'job.already_exists',
  pointer: '/upworkJobId',
  message:
    'You already have this job: the same upworkJobId or, without one, equal fields. Change a field, or use that job; ' +
    'it may be deleted.',
});

/** Jobs: storage, search and import. */
@Module({
  imports: [AuditModule, TypeOrmModule.forFeature([Job])],
  controllers: [JobsImportController, JobsController],
  providers: [JobsService, JobsImportService, BodySpool, IdempotentImportService, UpworkJobsService],
  exports: [JobsService, JobsImportService, UpworkJobsService],
})
export class JobsModule {}
