import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../platform/config/load-config';
import { whyNotUsable } from '../../platform/config/usable-folder';
import { KeyFile } from '../../platform/encryption/key-file';
import {
  bootstrapDatabase,
  hasPendingMigrations,
  storeContextKeys,
  withCommands,
} from '../../local-services/database-setup';
import { type DataFolder, OperatorError } from '../../local-services/data-folder';
import {
  createInstallationPostgres,
  DATABASE_NAME,
  type EmbeddedPostgres,
} from '../../local-services/embedded-postgres';
import { EmbeddedRedis } from '../../local-services/embedded-redis';
import {
  buildRoleUrls,
  buildServerEnvironment,
  type InstallationServices,
  ServicesFile,
  shouldEmbedPostgres,
  InstallationSecrets,
} from '../../local-services/server-environment';
import { FAKE_NAMES, type FakeName, fetchFakeSettings, getFakeTitle } from './fake-programs';
import { findFreePort, whyNotListen, whyNotUnprivileged, readCpuTime } from '../../local-services/managed-process';
import { changeOwner, findServerUsers, isWritableBy } from '../../local-services/file-permissions';
import { findPrimaryUrl } from '../../platform/database/driver/primary-host';
import { checkExternalServices } from './external-services';
import type { LauncherLock } from './launcher-lock';
import { buildApiUrl, waitUntilReady } from './readiness';
import { SERVERS, ServerProcesses } from './server-processes';
import type { ServiceSet } from './service-set';
import { type BuiltSources, readBuiltSources, SourceReloader } from './source-reloader';
import { SupervisedServer } from './supervisor';

/** What a start adds to API, worker, PostgreSQL and Redis. */
export interface LauncherOptions {
  readonly fakes: ReadonlySet<FakeName>;
  /** Restarts API and worker after each change of a source. */
  readonly watch: boolean;
  /** Opens a port for a debugger in API and worker. */
  readonly inspect: boolean;
}

/** Starts an installation step by step. Everything it has started is in `serviceSet`, also when a step fails. */
export class Launcher {
  private readonly secrets: InstallationSecrets;
  private readonly servicesFolder: string;
  private readonly serversFolder: string;
  private readonly processes: ServerProcesses;
  private readonly host: string;
  private port = 0;
  private built: BuiltSources = {};
  private readonly fakes = new Map<FakeName, { url: string; settings: Record<string, string> }>();

  constructor(
    private readonly folder: DataFolder,
    private readonly lock: LauncherLock,
    private readonly serviceSet: ServiceSet,
    private readonly env: NodeJS.ProcessEnv,
    private readonly options: LauncherOptions,
  ) {
    this.secrets = InstallationSecrets.load(folder.resolve('secrets.json'));
    this.servicesFolder = folder.createServicesFolder(this.secrets.values.servicesName);
    this.serversFolder = folder.createServersFolder(this.secrets.values.servicesName);
    this.processes = new ServerProcesses(folder, lock, serviceSet, options);
    this.host = env['HOST'] || '127.0.0.1';
  }

  /**
   * Starts all services and returns them. Stops between two steps when `signal` is aborted.
   * @throws OperatorError or ConfigError for problems that the operator can solve
   */
  async start(signal: AbortSignal): Promise<InstallationServices> {
    if (shouldEmbedPostgres(this.env)) this.serviceSet.postgres = createInstallationPostgres(this.folder, this.secrets);
    if (!this.env['REDIS_URL']) this.serviceSet.redis = this.createRedis();
    await this.checkSettings();
    await this.choosePort();
    // With GIGVAULT_ADMIN_EMAIL set, no admin is generated, also not at a later start without the variable.
    if (this.serviceSet.postgres?.isNew && !this.env['GIGVAULT_ADMIN_EMAIL']) this.secrets.createAdmin();
    await settleAll([this.serviceSet.postgres?.start(), this.serviceSet.redis?.start()]);
    this.secrets.savePorts({ postgres: this.serviceSet.postgres?.port, redis: this.serviceSet.redis?.port });
    signal.throwIfAborted();
    await this.prepareDatabase();
    signal.throwIfAborted();
    for (const name of FAKE_NAMES) if (this.options.fakes.has(name)) await this.startFake(name, signal);
    await this.startServers(signal);
    return this.writeServicesFile();
  }

  /**
   * Restarts every process that exits by itself, and keeps services.json up to date. With `watch`, API and worker are
   * restarted at changes of the sources instead.
   * @returns a promise of the reason when a process is not restarted
   */
  supervise(signal: AbortSignal, say: (text: string) => void): Promise<string> {
    if (this.options.watch) this.serviceSet.reloader = this.createReloader(say);
    return this.serviceSet.superviseAll(say, (service) => {
      this.writeServicesFile();
      if (service instanceof SupervisedServer && service.name === 'api')
        void this.reportReadiness(service, signal, say);
    });
  }

  private createReloader(print: (text: string) => void): SourceReloader {
    const servers = this.serviceSet.servers.filter(({ name }) => name in SERVERS);
    return new SourceReloader(servers, {
      built: this.built,
      print,
      onRestart: async (signal) => {
        this.writeServicesFile();
        const problem = await this.waitUntilReady(servers[0]!, signal);
        if (problem !== undefined) throw new Error(problem);
      },
    });
  }

  private async reportReadiness(
    api: SupervisedServer,
    signal: AbortSignal,
    say: (text: string) => void,
  ): Promise<void> {
    const { pid } = api;
    const problem = await this.waitUntilReady(api, signal).catch(() => 'it was stopped');
    // The supervisor reports an exit.
    if (api.hasExited || api.pid !== pid) return;
    if (problem === undefined) say('The API is ready again.');
    else if (!signal.aborted) say(`The API is not ready: ${problem}. See ${this.folder.resolveLog('api')}`);
  }

  /** Returns the generated first admin once, then deletes the stored password. */
  consumeFirstAdmin(): { email: string; password: string } | undefined {
    const { admin } = this.secrets.values;
    if (!admin || this.env['GIGVAULT_ADMIN_EMAIL']) return undefined;
    this.secrets.forgetAdmin();
    return admin;
  }

  private createRedis(): EmbeddedRedis {
    const { redisPassword, ports } = this.secrets.values;
    return new EmbeddedRedis({
      folder: join(this.servicesFolder, 'redis'),
      logFile: this.folder.resolveLog('redis'),
      password: redisPassword,
      preferredPort: ports.redis,
    });
  }

  /** Checks the operator's settings before any process starts. */
  private async checkSettings(): Promise<void> {
    const { http, backups, encryption } = loadConfig(this.buildEnvironment());
    if (encryption.keyFile !== undefined) new KeyFile(encryption.keyFile).read();
    this.serviceSet.shutdownDelayMs = http.shutdownDelayMs;
    const problem = backups.s3 ? undefined : await this.whyNotBackupFolder(backups.folder);
    if (problem !== undefined) throw new OperatorError(`BACKUP_DIR is not usable: ${problem}.`);
    await checkExternalServices(this.env);
  }

  private async whyNotBackupFolder(folder: string): Promise<string | undefined> {
    const isNew = !existsSync(folder);
    const problem = await whyNotUsable(folder);
    const users = findServerUsers();
    if (problem !== undefined || !users) return problem;
    const { name, gid } = users.worker;
    if (isNew) changeOwner(users.worker, folder);
    if (isWritableBy(folder, users.worker)) return undefined;
    const reason = `the worker does not run as root, and its account ${name} cannot write`;
    return `${folder}: ${reason}: chown -R ${name}:${gid} ${folder}`;
  }

  private async choosePort(): Promise<void> {
    const { port, metricsPort } = loadConfig(this.buildEnvironment()).http;
    this.port = port || (await findFreePort());
    await this.checkPort(this.port, 'PORT');
    if (metricsPort !== 0) await this.checkPort(metricsPort, 'METRICS_PORT');
  }

  private async checkPort(port: number, name: string): Promise<void> {
    const reason = (await whyNotListen(port, this.host, name)) ?? whyNotUnprivileged(port, name);
    if (reason === undefined) return;
    const other = reason.startsWith('HOST') ? 'HOST=127.0.0.1' : `${name}=${Math.max(port + 1, 3_000)}`;
    throw new OperatorError(`${reason}. Choose another: put ${other} before the command.`);
  }

  private async prepareDatabase(): Promise<void> {
    const { postgres } = this.serviceSet;
    const environment = this.buildEnvironment();
    const migrationUrl = environment['DATABASE_MIGRATION_URL'] ?? '';
    const { contextKey, database } = loadConfig(environment);
    if (!postgres) {
      const primaryUrl = await findPrimaryUrl(migrationUrl, database.hosts);
      await this.runMigrations(primaryUrl);
      return storeContextKeys(primaryUrl, contextKey);
    }
    const { passwords } = this.secrets.values;
    try {
      await bootstrapDatabase(
        (name) => postgres.buildUrl('postgres', passwords.superuser, name),
        DATABASE_NAME,
        passwords,
      );
      await this.runMigrations(migrationUrl);
      await storeContextKeys(migrationUrl, contextKey);
    } catch (error) {
      throw withCommands(error, this.folder.path, this.servicesFolder);
    }
  }

  /** Starts the process of the migrations only when some are pending. */
  private async runMigrations(url: string): Promise<void> {
    if (await hasPendingMigrations(url)) await this.processes.runMigrations(url, this.env);
  }

  private async startServers(signal: AbortSignal): Promise<void> {
    const env = this.buildEnvironment();
    if (this.options.watch) this.built = readBuiltSources();
    const api = this.processes.startServer('api', env, this.serversFolder);
    this.processes.startServer('worker', env, this.serversFolder);
    const problem = this.waitUntilReady(api, signal);
    const ended = this.serviceSet.waitForFirstExit().then((end) => ({ end }));
    const outcome = await Promise.race([problem, ended]);
    if (outcome === undefined) return;
    if (typeof outcome === 'string')
      throw new OperatorError(`The API did not start: ${outcome}.\n${api.readLogTail()}`);
    const logTails = this.serviceSet.servers.filter((server) => server.hasExited).map((server) => server.readLogTail());
    throw new OperatorError(`${outcome.end}:\n${logTails.join('\n')}`);
  }

  private waitUntilReady(api: SupervisedServer, signal: AbortSignal): Promise<string | undefined> {
    const logFile = this.folder.resolveLog(api.name);
    const progress = (): string => `${readCpuTime(api.pid ?? 0)} ${statSync(logFile).size}`;
    return waitUntilReady(buildApiUrl(this.host, this.port), progress, signal);
  }

  private async startFake(name: FakeName, signal: AbortSignal): Promise<void> {
    const port = await findFreePort();
    const url = `http://127.0.0.1:${port}`;
    const server = this.processes.startFake(name, port, this.env);
    const settings = await Promise.race([fetchFakeSettings(url, signal), server.exited.then(() => undefined)]);
    if (!settings) throw new OperatorError(`${getFakeTitle(name)} does not answer:\n${server.readLogTail()}`);
    this.fakes.set(name, { url, settings });
  }

  private writeServicesFile(): InstallationServices {
    const { postgres, redis, servers } = this.serviceSet;
    const pids = [
      ['launcher', process.pid],
      ['postgres', postgres?.pid],
      ['redis', redis?.pid],
      ...servers.map((server) => [server.name, server.pid]),
    ].filter(([, pid]) => pid !== undefined);
    const services: InstallationServices = {
      api: buildApiUrl(this.host, this.port),
      ...(postgres && { postgres: this.buildPostgresUrls(postgres) }),
      ...(redis && { redis: redis.url }),
      ...this.buildFakeUrls(),
      pids: Object.fromEntries(pids) as Record<string, number>,
    };
    new ServicesFile(this.folder.resolve('services.json')).write(services);
    return services;
  }

  private buildFakeUrls(): Pick<InstallationServices, 'fakeUpwork' | 'fakeAi'> {
    const [upwork, ai] = [this.fakes.get('fake-upwork'), this.fakes.get('fake-ai')];
    return { ...(upwork && { fakeUpwork: upwork.url }), ...(ai && { fakeAi: ai.url }) };
  }

  private buildEnvironment(): NodeJS.ProcessEnv {
    const { postgres, redis } = this.serviceSet;
    return buildServerEnvironment(this.env, {
      secrets: this.secrets,
      dataFolder: this.folder.path,
      serversFolder: this.serversFolder === this.folder.path ? undefined : this.serversFolder,
      port: this.port || undefined,
      postgres: postgres && this.buildPostgresUrls(postgres),
      redis: redis?.url,
      fakes: Object.assign({}, ...[...this.fakes.values()].map(({ settings }) => settings)) as Record<string, string>,
    });
  }

  private buildPostgresUrls(postgres: EmbeddedPostgres): ReturnType<typeof buildRoleUrls> {
    return buildRoleUrls((login, role) => postgres.buildUrl(login, this.secrets.values.passwords[role], DATABASE_NAME));
  }
}

/** Waits until all promises have settled, then rejects with the first error: nothing still starts during the stop. */
async function settleAll(works: readonly (Promise<void> | undefined)[]): Promise<void> {
  const begun = works.filter((work) => work !== undefined);
  const failed = (await Promise.allSettled(begun)).find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}
