import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '../audit/audit.module';
import { declareConstraint } from '../platform/errors/postgres-errors';
import { SavedSearch } from './saved-search.entity';
import { SavedSearchesController } from './saved-searches.controller';
import { SavedSearchesService } from './saved-searches.service';

declareConstraint('saved_searches_name_key', {
  code: 'saved_search.already_exists',
  pointer: '/name',
  message: 'You already have a saved search with this name. Choose another name, or change that search.',
});

declareConstraint('saved_searches_webhook_id_fk', {
  code: 'reference.not_found',
  pointer: '/webhookId',
  message: 'You have no webhook with this id.',
});

for (const range of ['budget', 'hourly_rate', 'client_hires', 'applicants']) {
  const field = range.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  declareConstraint(`saved_searches_${range}_range`, {
    code: 'validation.failed',
    pointer: `/${field}Min`,
    message: `${field}Min must not be above ${field}Max.`,
  });
}

/** Saved searches: the jobs that the synchronisation looks for, and who is notified of new matches. */
@Module({
  imports: [TypeOrmModule.forFeature([SavedSearch]), AuditModule],
  controllers: [SavedSearchesController],
  providers: [SavedSearchesService],
  exports: [SavedSearchesService],
})
export class SavedSearchesModule {}
