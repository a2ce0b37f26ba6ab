import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '../audit/audit.module';
import { declareConstraint } from '../platform/errors/postgres-errors';
import { Proposal } from './proposal.entity';
import { ProposalsController } from './proposals.controller';
import { ALREADY_OPEN, ProposalsService } from './proposals.service';
import { UpworkProposalsService } from './upwork-proposals.service';

declareConstraint('proposals_job_id_fk', {
  code: 'reference.not_found',
  pointer: '/jobId',
  message: 'You have no job with this id.',
});
declareConstraint('proposals_one_open_per_job', ALREADY_OPEN);

/** Proposals for jobs: drafts, steps and history. */
@Module({
  imports: [TypeOrmModule.forFeature([Proposal]), AuditModule],
  controllers: [ProposalsController],
  providers: [ProposalsService, UpworkProposalsService],
  exports: [UpworkProposalsService],
})
export class ProposalsModule {}
