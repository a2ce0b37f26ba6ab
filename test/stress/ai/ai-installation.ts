import { randomUUID } from 'node:crypto';
import { withClient } from '../../../src/local-services/database-setup';
import { BenchServerProcess } from '../../bench/server-process';
import { startFakeVendors, type FakeVendors } from '../../../src/demo/fake-ai/fake-vendors';
import { Caller } from '../../support/caller';
import { buildServers } from '../build-servers';
import { createStressServices, type StressServices } from '../stress-services';
import { WorkerProcess } from '../worker-process';

/** Only the budget scenario may reach a limit. Password cost and machine load must not affect any scenario. */
const SETTINGS = {
  AI_DAILY_CEILING_USD: '100000.00',
  AI_MONTHLY_CEILING_USD: '1000000.00',
  AI_INSTALLATION_DAILY_CEILING_USD: '0.00',
  AI_INSTALLATION_MONTHLY_CEILING_USD: '0.00',
  AI_RUNS_PER_USER: '1000',
  AI_RUNS: '10000',
  AI_STREAMS_PER_USER: '1000',
  AI_TIMEOUT_SECONDS: '600',
  PASSWORD_HASH_COST: '10',
  DATABASE_CONNECT_TIMEOUT_MS: '60000',
};

/** An API process that uses the fake AI providers; another API process and a worker can be added. */
export class AiInstallation {
  private secondApi: BenchServerProcess | undefined;
  private worker: WorkerProcess | undefined;

  private constructor(
    private readonly services: StressServices,
    private readonly environment: Readonly<Record<string, string>>,
    private readonly api: BenchServerProcess,
    readonly fake: FakeVendors,
  ) {}

  /** Starts PostgreSQL, Redis, the fake and the API. */
  static async start(): Promise<AiInstallation> {
    buildServers();
    const fake = await startFakeVendors();
    const services = createStressServices();
    await services.start();
    const environment = { ...services.buildEnvironment(), ...fake.settings, ...SETTINGS };
    return new AiInstallation(services, environment, await BenchServerProcess.start('product', environment), fake);
  }

  /** Starts the worker, which settles orphaned calls on the task's schedule or on another. */
  async work(...cron: string[]): Promise<void> {
    this.worker = new WorkerProcess('ai/ai-worker.ts', cron, this.environment);
    await this.worker.start();
  }

  get url(): string {
    return urlOf(this.api);
  }

  /** Creates a user, signed in. */
  async createUser(): Promise<Caller> {
    const credentials = { email: `${randomUUID()}@example.com`, password: 'seven green umbrellas' };
    await new Caller(this.url).post('/v1/auth/register', credentials);
    await this.query('UPDATE users SET is_verified = true WHERE email = $1', [credentials.email]);
    const { body } = await new Caller(this.url).post<{ accessToken: string }>('/v1/auth/login', credentials);
    return new Caller(this.url, body.accessToken);
  }

  /** Returns the other API process on the same database and Redis, like a second machine; a new one after a kill. */
  async process(): Promise<{ url: string; pid: number }> {
    if (!this.secondApi || this.secondApi.hasExited)
      this.secondApi = await BenchServerProcess.start('product', this.environment);
    return { url: urlOf(this.secondApi), pid: this.secondApi.pid };
  }

  /** Runs a query as the superuser. */
  query<Row>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return withClient(
      this.services.buildUrl('superuser'),
      async (client) => (await client.query(sql, values)).rows as Row[],
    );
  }

  /** Stops everything and removes the data. */
  async remove(): Promise<void> {
    await Promise.all([this.api.stop(), this.secondApi?.stop(), this.worker?.end('SIGTERM')]);
    await this.services.stop();
    await this.fake.close();
  }
}

function urlOf({ port }: BenchServerProcess): string {
  return `http://127.0.0.1:${port}`;
}
