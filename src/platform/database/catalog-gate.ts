import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { Config } from '../config/config';
import { assertNamedStatements } from './named-statements-check';
import { catalogWarnings, checkCatalog, type CatalogQuery } from './preconditions';

/** Keeps API and worker from starting on a database that does not isolate tenants: nothing is served until it does. */
@Injectable()
export class CatalogGate implements OnModuleInit {
  private readonly logger = new Logger(CatalogGate.name);

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: Config,
  ) {}

  /** @throws Error naming everything that is wrong, and what to do about each */
  async onModuleInit(): Promise<void> {
    if (this.config.database.preparedStatements) await assertNamedStatements(this.config);
    const query: CatalogQuery = (sql) => this.dataSource.query<Record<string, unknown>[]>(sql);
    const problems = await checkCatalog(query);
    if (problems.length > 0) {
      throw new Error(`The database is not in order:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    }
    for (const warning of await catalogWarnings(query)) this.logger.warn(warning);
  }
}
