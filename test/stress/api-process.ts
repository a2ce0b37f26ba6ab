import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { withClient } from '../../src/local-services/database-setup';
import { findFreePort } from '../../src/local-services/managed-process';
import { BenchServerProcess } from '../bench/server-process';
import { startFakeVendors, type FakeVendors } from '../../src/demo/fake-ai/fake-vendors';
import { FakeUpwork } from '../../src/demo/fake-upwork/fake-upwork';
import { Caller } from '../support/caller';
import { buildServers } from './build-servers';
import { ChildProgram } from './child';
import { createStressServices, type StressServices } from './stress-services';

const execute = promisify(execFile);

/** Differs from the id in the contract's examples, so that a valid example request does not change this account. */
const PASSWORD = 'nine purple lanterns';

/** Cheap passwords and long sessions; rate limits are off unless the scenario sets them. */
const SETTINGS = { NODE_ENV: 'test', PASSWORD_HASH_COST: '4', ACCESS_TOKEN_SECONDS: '3600' };

/** Length of the log's end in errors. */
const LOG_TAIL = 5_000;

/** A verified account with a password. */
export interface StressAccount {
  readonly id: number;
  readonly email: string;
  readonly password: string;
  /** Signs in again; returns the access token. */
  signIn(): Promise<string>;
}

/** Options of a scenario's API. */
export interface ApiProcessOptions {
  /** Settings that differ, by environment variable. */
  readonly settings?: Readonly<Record<string, string>>;
  /** PostgreSQL and Redis, if the scenario has its own. */
  readonly services?: StressServices;
  /** Also starts the worker. */
  readonly hasWorker?: boolean;
}

/** The API in its own process, with fakes of the AI providers and of Upwork, on the scenario's services. */
export class ApiProcess {
  private constructor(
    private readonly services: StressServices,
    private readonly environment: Readonly<Record<string, string>>,
    private readonly api: BenchServerProcess,
    private readonly worker: ChildProgram | undefined,
    private readonly vendors: FakeVendors,
    private readonly upwork: FakeUpwork,
    private readonly metricsUrl: string,
  ) {}

  /** Returns the URL of the API's Redis. */
  get redisUrl(): string {
    return this.environment['REDIS_URL']!;
  }

  /** Starts another API on the same services. The caller stops it. @param settings that differ */
  startAnother(settings: Readonly<Record<string, string>> = {}): Promise<BenchServerProcess> {
    return BenchServerProcess.start('product', { ...this.environment, METRICS_PORT: '0', ...settings });
  }

  /** Runs a built program with the settings of the API to its end. @throws Error with its output when it fails */
  async runProgram(program: string, settings: Readonly<Record<string, string>> = {}): Promise<void> {
    await execute(process.execPath, [program], { env: { ...this.environment, ...settings } });
  }

  /** Ends the API, and leaves the services and the worker running. */
  stopApi(): Promise<void> {
    return this.api.stop();
  }

  /** Starts the services, the fakes and the API. @throws Error when one does not start; then nothing is left running */
  static async start({
    settings = {},
    services = createStressServices(),
    hasWorker = false,
  }: ApiProcessOptions): Promise<ApiProcess> {
    buildServers();
    const vendors = await startFakeVendors();
    const upwork = await new FakeUpwork().start();
    try {
      await services.start();
      const metricsPort = String(await findFreePort());
      const { SMTP_URL: _, ...production } = services.buildEnvironment();
      const fakes = { ...vendors.settings, ...upwork.settings };
      const environment: Record<string, string> = {
        ...production,
        ...fakes,
        ...SETTINGS,
        METRICS_PORT: metricsPort,
        ...settings,
      };
      const api = await BenchServerProcess.start('product', environment);
      const worker = hasWorker ? new ChildProgram(['dist/src/worker.js'], environment) : undefined;
      const metricsUrl = `http://127.0.0.1:${metricsPort}/metrics`;
      return new ApiProcess(services, environment, api, worker, vendors, upwork, metricsUrl);
    } catch (error) {
      await Promise.all([services.stop(), vendors.close(), upwork.stop()]);
      throw error;
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.api.port}`;
  }

  get port(): number {
    return this.api.port;
  }

  get pid(): number {
    return this.api.pid;
  }

  get hasEnded(): boolean {
    return this.api.hasExited;
  }

  /** Returns the API's log. */
  get log(): string {
    return this.api.log;
  }

  /** Creates a verified account. */
  async createAccount(role: 'user' | 'admin' = 'user'): Promise<StressAccount> {
    const credentials = { email: `${randomUUID()}@example.com`, password: PASSWORD };
    await new Caller(this.url).post('/v1/auth/register', credentials);
    const [user] = await this.query<{ id: string }>(
      'UPDATE users SET is_verified = true, role = $2 WHERE email = $1 RETURNING id',
      [credentials.email, role],
    );
    return {
      id: Number(user?.id),
      ...credentials,
      signIn: async () => {
        const { status, body } = await new Caller(this.url).post('/v1/auth/login', credentials);
        if (status !== 200)
          throw new Error(
            `The sign-in of the scenario was answered ${status}: ${JSON.stringify(body)}\n${this.log.slice(-LOG_TAIL)}`,
          );
        return (body as { accessToken: string }).accessToken;
      },
    };
  }

  /** Runs a statement as the superuser. */
  query<Row>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return withClient(
      this.services.buildUrl('superuser'),
      async (client) => (await client.query(sql, values)).rows as Row[],
    );
  }

  /** Returns the longest event-loop delay of the API since the last call, in milliseconds. */
  async readLoopDelayMs(): Promise<number> {
    const text = await (await fetch(this.metricsUrl, { headers: { connection: 'close' } })).text();
    const [, seconds] = /^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(text) ?? [];
    return Math.round(Number(seconds) * 10_000) / 10;
  }

  /** Stops everything and removes the data. */
  async stop(): Promise<void> {
    await Promise.all([this.api.stop(), this.worker?.end('SIGTERM')]);
    await this.services.stop();
    await Promise.all([this.vendors.close(), this.upwork.stop()]);
  }
}
