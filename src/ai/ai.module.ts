import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { declareConstraint } from '../platform/errors/postgres-errors';
import { AiController } from './ai.controller';
import { AiGeneration } from './generations/ai-generation.entity';
import { GenerationStreamStoreService } from './generations/generation-stream-store.service';
import { GenerationRunnerService } from './generations/generation-runner.service';
import { GenerationSourcesService, GenerationsService } from './generations/generations.service';
import { GenerationEventsService } from './generations/generation-events.service';
import { GenerationsController } from './generations/generations.controller';
import { UsageLedgerService } from './usage/usage-ledger.service';
import { ModelsService } from './models.service';
import { ProvidersService } from './providers/providers.service';

declareConstraint('ai_generations_job_id_fk', {
  code: 'reference.not_found',
  pointer: '/jobId',
  message: 'You have no job with this id.',
});

/** AI drafts: providers, generations, and a usage ledger that enforces budgets. */
@Module({
  imports: [TypeOrmModule.forFeature([AiGeneration])],
  controllers: [AiController, GenerationsController],
  providers: [
    ProvidersService,
    ModelsService,
    UsageLedgerService,
    GenerationStreamStoreService,
    GenerationRunnerService,
    GenerationSourcesService,
    GenerationsService,
    GenerationEventsService,
  ],
})
export class AiModule {}
