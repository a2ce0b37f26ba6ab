import { Module } from '@nestjs/common';
import { WebhooksModule } from '../webhooks/webhooks.module';
import { AuditModule } from '../audit/audit.module';
import { JobsModule } from '../jobs/jobs.module';
import { MessagesModule } from '../messages/messages.module';
import { QueuesModule } from '../platform/queues/queues.module';
import { TaskRequestService } from '../platform/scheduler/task-request.service';
import { ProposalsModule } from '../proposals/proposals.module';
import { SavedSearchesModule } from '../saved-searches/saved-searches.module';
import { TokensModule } from '../tokens/tokens.module';
import { UpworkModule } from '../upwork/upwork.module';
import { JobDetailsController } from './job-details.controller';
import { JobDetailsService } from './job-details.service';
import { JobsSyncService } from './jobs-sync.service';
import { MessagesSyncService } from './messages-sync.service';
import { ProposalsSyncService } from './proposals-sync.service';
import { SyncsController } from './syncs.controller';
import { SyncsService } from './syncs.service';

/** Synchronises jobs, proposals and messages with Upwork. */
@Module({
  imports: [
    AuditModule,
    WebhooksModule,
    QueuesModule,
    UpworkModule,
    TokensModule,
    JobsModule,
    ProposalsModule,
    SavedSearchesModule,
    MessagesModule,
  ],
  controllers: [SyncsController, JobDetailsController],
  providers: [
    SyncsService,
    JobDetailsService,
    JobsSyncService,
    ProposalsSyncService,
    MessagesSyncService,
    TaskRequestService,
  ],
})
export class SyncModule {}
