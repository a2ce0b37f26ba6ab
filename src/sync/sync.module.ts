import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AlertsModule } from '../alerts/alerts.module';
import { AuditModule } from '../audit/audit.module';
import { JobsModule } from '../jobs/jobs.module';
import { MessagesModule } from '../messages/messages.module';
import { declareConstraint } from '../platform/database/pg-errors';
import { QueuesModule } from '../platform/queues/queues.module';
import { TaskRequests } from '../platform/scheduler/task-requests';
import { ProposalsModule } from '../proposals/proposals.module';
import { TokensModule } from '../tokens/tokens.module';
import { UpworkModule } from '../upwork/upwork.module';
import { JobsSync } from './jobs-sync.service';
import { MessagesSync } from './messages-sync.service';
import { ProposalsSync } from './proposals-sync.service';
import { SavedSearch } from './saved-search.entity';
import { SavedSearchesController } from './saved-searches.controller';
import { SavedSearchesService } from './saved-searches.service';
import { SyncsController } from './syncs.controller';
import { SyncsService } from './syncs.service';

declareConstraint('saved_searches_name_key', {
  code: 'saved_search.already_exists',
  pointer: '/name',
  message: 'you have a saved search of this name',
});

declareConstraint('saved_searches_webhook_id_fk', {
  code: 'reference.not_found',
  pointer: '/webhookId',
  message: 'You have no webhook with this id.',
});

/** Brings vacancies, proposals and messages in from Upwork. */
@Module({
  imports: [
    TypeOrmModule.forFeature([SavedSearch]),
    AuditModule,
    AlertsModule,
    QueuesModule,
    UpworkModule,
    TokensModule,
    JobsModule,
    ProposalsModule,
    MessagesModule,
  ],
  controllers: [SyncsController, SavedSearchesController],
  providers: [SyncsService, SavedSearchesService, JobsSync, ProposalsSync, MessagesSync, TaskRequests],
})
export class SyncModule {}
