import { Module } from '@nestjs/common';
import { AlertsModule } from '../alerts/alerts.module';
import { AuditModule } from '../audit/audit.module';
import { JobsModule } from '../jobs/jobs.module';
import { MessagesModule } from '../messages/messages.module';
import { QueuesModule } from '../platform/queues/queues.module';
import { TaskRequests } from '../platform/scheduler/task-requests';
import { ProposalsModule } from '../proposals/proposals.module';
import { SavedSearchesModule } from '../saved-searches/saved-searches.module';
import { TokensModule } from '../tokens/tokens.module';
import { UpworkModule } from '../upwork/upwork.module';
import { JobsSync } from './jobs-sync.service';
import { MessagesSync } from './messages-sync.service';
import { ProposalsSync } from './proposals-sync.service';
import { SyncsController } from './syncs.controller';
import { SyncsService } from './syncs.service';

/** Brings vacancies, proposals and messages in from Upwork. */
@Module({
  imports: [
    AuditModule,
    AlertsModule,
    QueuesModule,
    UpworkModule,
    TokensModule,
    JobsModule,
    ProposalsModule,
    SavedSearchesModule,
    MessagesModule,
  ],
  controllers: [SyncsController],
  providers: [SyncsService, JobsSync, ProposalsSync, MessagesSync, TaskRequests],
})
export class SyncModule {}
