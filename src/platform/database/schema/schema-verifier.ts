import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { Config } from '../../config/config';
import { assertNamedStatements } from '../driver/statement-names';
import { findContextProblems, type ParameterizedQuery } from './context-check';
import { type CatalogQuery, findSchemaProblems, findSchemaWarnings } from './schema-problems';

/** Prevents API and worker from starting on a database that does not isolate tenants. */
@Injectable()
export class SchemaVerifier implements OnModuleInit {
  private readonly logger = new Logger(SchemaVerifier.name);

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: Config,
  ) {}

  /** @throws Error with all problems and their remedies */
  async onModuleInit(): Promise<void> {
    if (this.config.database.preparedStatements) await assertNamedStatements(this.config);
    const query: ParameterizedQuery & CatalogQuery = (sql, values?: unknown[]) =>
      this.dataSource.query<Record<string, unknown>[]>(sql, values);
    const problems = await findSchemaProblems(query);
    // Without the migrations there is no view to ask.
    if (problems.length === 0) problems.push(...(await findContextProblems(query, this.config.contextKey)));
    if (problems.length > 0) {
      throw new Error(`The database is not in order:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    }
    for (const warning of await findSchemaWarnings(query)) this.logger.warn(warning);
  }
}
