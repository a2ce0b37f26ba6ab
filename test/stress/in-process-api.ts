import type { Abstract, Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { QueryResultRow } from 'pg';
import { AppModule } from '../../src/app.module';
import { withClient } from '../../src/local-services/database-setup';
import { loadConfig } from '../../src/platform/config/load-config';
import { RolePools } from '../../src/platform/database/driver/role-pools';
import { createHttpApp } from '../../src/platform/http/http-app';
import { SystemDatabase } from '../../src/platform/database/system-database';
import type { TaskResult, ScheduledTask, Skipped, TaskContext } from '../../src/platform/scheduler/scheduled-task';
import { runAsUser } from '../support/run-as-user';
import { createStressServices } from './stress-services';

/** PostgreSQL and Redis of a scenario, with the API in this process. */
export class InProcessApi {
  readonly services = createStressServices();
  private app: NestFastifyApplication | undefined;

  /** @param settings in addition to those of a server in production */
  constructor(private readonly settings: Readonly<Record<string, string>> = {}) {}

  /** Runs `work` between start and stop. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    try {
      await this.services.start();
      await this.startApp();
      return await work();
    } finally {
      await this.app?.close();
      await this.services.stop();
    }
  }

  /** Restarts the API. */
  async restart(): Promise<void> {
    await this.app?.close();
    await this.startApp();
  }

  /** Returns a provider of the API. */
  get<T>(token: Type<T> | Abstract<T>): T {
    return this.app!.get(token, { strict: false });
  }

  /** Runs statements as the superuser; returns the rows of the last one, with int8 as text. */
  query<Row extends QueryResultRow>(statement: string, values: unknown[] = []): Promise<Row[]> {
    return withClient(
      this.services.buildUrl('superuser'),
      async (client) => (await client.query<Row>(statement, values)).rows,
    );
  }

  /** Creates verified users; returns their ids. */
  async createUsers(count: number): Promise<number[]> {
    const rows = await this.query<{ id: string }>(
      `INSERT INTO users (email, encrypted_password, is_verified)
       SELECT 'user' || n || '@example.org', 'none', true FROM generate_series(1, $1::integer) n RETURNING id`,
      [count],
    );
    return rows.map(({ id }) => Number(id));
  }

  /** Runs a task once with the logins of a worker, without retries; returns its result. */
  async runTask(task: ScheduledTask, lastFigures: TaskResult | null = null): Promise<TaskResult | Skipped> {
    const config = loadConfig();
    const pools = new RolePools(config);
    const system = new SystemDatabase(pools, config);
    const context: TaskContext = {
      startedBy: 'admin',
      startedById: null,
      signal: new AbortController().signal,
      lastResult: lastFigures,
      readOnly: (work) => system.asScheduler(work),
      asWorker: (work) => system.asWorker(`task ${task.id}`, work),
      service: (type) => this.get(type),
    };
    return runAsUser(0, () => task.run(context)).finally(() => pools.onApplicationShutdown());
  }

  private async startApp(): Promise<void> {
    Object.assign(process.env, this.services.buildEnvironment(), this.settings);
    this.app = await createHttpApp(AppModule);
    await this.app.init();
  }
}
