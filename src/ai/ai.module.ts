import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { declareConstraint } from '../platform/database/pg-errors';
import { AiController } from './ai.controller';
import { AiGeneration } from './ai-generation.entity';
import { GenerationFeed } from './generation-feed.service';
import { GenerationRuns } from './generation-runs.service';
import { GenerationSources } from './generation-sources.service';
import { GenerationStream } from './generation-stream.service';
import { GenerationsController } from './generations.controller';
import { Generations } from './generations.service';
import { Ledger } from './ledger.service';
import { Models } from './models.service';
import { Providers } from './providers/providers.service';

declareConstraint('ai_generations_job_id_fk', {
  code: 'reference.not_found',
  pointer: '/jobId',
  message: 'You have no job with this id.',
});

/** AI drafts: vendors, one ledger, a budget that holds. */
@Module({
  imports: [TypeOrmModule.forFeature([AiGeneration])],
  controllers: [AiController, GenerationsController],
  providers: [
    Providers,
    Models,
    Ledger,
    GenerationFeed,
    GenerationRuns,
    GenerationSources,
    Generations,
    GenerationStream,
  ],
})
export class AiModule {}
