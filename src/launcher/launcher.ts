import { statSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../platform/config/load-config';
import { whyNotUsable } from '../platform/config/usable-folder';
import { bootstrapDatabase } from './bootstrap';
import type { DataFolder } from './data-folder';
import type { EmbeddedPostgres } from './embedded-postgres';
import { EmbeddedRedis } from './embedded-redis';
import { serverEnvironment, wantsEmbeddedPostgres } from './environment';
import { FAKE_NAMES, fakeCommand, type FakeName, fakeSettings, titleOfFake } from './fakes';
import { freePort, isPortFree } from './free-port';
import { tryGivenServices } from './given-services';
import { DATABASE, installationPostgres } from './installation-postgres';
import { LaunchError } from './launch-error';
import type { LauncherLock } from './launcher-lock';
import { ManagedProcess } from './managed-process';
import { migrate } from './migrations';
import { cpuMark } from './process-info';
import { projectRoot } from './project-root';
import { apiUrl, whyNotReady } from './readiness';
import { Secrets } from './secrets';
import { Server } from './server';
import { type Services, ServicesFile, roleUrls } from './services-file';
import type { Stack } from './stack';
import { withCommands } from './unknown-schema';

const TITLES = { api: 'The API', worker: 'The worker' } as const;

/** Starts an installation step by step; what it has started is in `stack`, also when a step fails. */
export class Launcher {
  private readonly secrets: Secrets;
  private readonly servicesFolder: string;
  private readonly host: string;
  private port = 0;
  private readonly fakes = new Map<FakeName, { url: string; settings: Record<string, string> }>();

  constructor(
    private readonly folder: DataFolder,
    private readonly lock: LauncherLock,
    private readonly stack: Stack,
    private readonly env: NodeJS.ProcessEnv,
    private readonly fakesWanted: ReadonlySet<FakeName>,
  ) {
    this.secrets = Secrets.load(folder.at('secrets.json'));
    this.servicesFolder = folder.servicesFolder(this.secrets.values.servicesName);
    this.host = env['HOST'] || '127.0.0.1';
  }

  /**
   * Brings everything up and returns what runs, or throws. Stops between two steps when `signal` is aborted.
   * @throws LaunchError or ConfigError when the person can do something about it
   */
  async start(signal: AbortSignal): Promise<Services> {
    if (wantsEmbeddedPostgres(this.env)) this.stack.postgres = installationPostgres(this.folder, this.secrets);
    if (!this.env['REDIS_URL']) this.stack.redis = this.newRedis();
    await this.checkSettings();
    await this.choosePort();
    // An admin the person named is his first; a made one must not follow at a later start without him.
    if (this.stack.postgres?.isNew && !this.env['GIGVAULT_ADMIN_EMAIL']) this.secrets.makeAdmin();
    await settleAll([this.stack.postgres?.start(), this.stack.redis?.start()]);
    this.secrets.rememberPorts({ postgres: this.stack.postgres?.port, redis: this.stack.redis?.port });
    signal.throwIfAborted();
    await this.prepareDatabase();
    signal.throwIfAborted();
    for (const name of FAKE_NAMES) if (this.fakesWanted.has(name)) await this.startFake(name, signal);
    await this.startServers(signal);
    return this.announce();
  }

  /**
   * Restarts from now on what ends by itself, and keeps services.json right.
   * @returns a promise of the reason when a process is not started again
   */
  supervise(signal: AbortSignal, say: (text: string) => void): Promise<string> {
    return this.stack.supervise(say, (service) => {
      this.announce();
      if (service instanceof Server && service.name === 'api') void this.sayWhenReady(service, signal, say);
    });
  }

  private async sayWhenReady(api: Server, signal: AbortSignal, say: (text: string) => void): Promise<void> {
    const { pid } = api;
    const problem = await this.whyNotReady(api, signal).catch(() => 'it was stopped');
    // One that has ended meanwhile is reported as such.
    if (api.hasEnded || api.pid !== pid) return;
    if (problem === undefined) say('The API is ready again.');
    else if (!signal.aborted) say(`The API is not ready: ${problem}. See ${this.folder.logOf('api')}`);
  }

  /** Returns the admin made at the first start, once: afterwards nobody knows the password but the reader. */
  takeAdmin(): { email: string; password: string } | undefined {
    const { admin } = this.secrets.values;
    if (!admin || this.env['GIGVAULT_ADMIN_EMAIL']) return undefined;
    this.secrets.forgetAdmin();
    return admin;
  }

  private newRedis(): EmbeddedRedis {
    const { redisPassword, ports } = this.secrets.values;
    return new EmbeddedRedis({
      folder: join(this.servicesFolder, 'redis'),
      logFile: this.folder.logOf('redis'),
      password: redisPassword,
      preferredPort: ports.redis,
    });
  }

  /** Tries what the person has set before anything is started. */
  private async checkSettings(): Promise<void> {
    const { http, backups } = loadConfig(this.serverEnvironment());
    this.stack.shutdownDelayMs = http.shutdownDelayMs;
    const problem = backups.s3 ? undefined : await whyNotUsable(backups.folder);
    if (problem !== undefined) throw new LaunchError(`BACKUP_DIR is not usable: ${problem}.`);
    await tryGivenServices(this.env);
  }

  private async choosePort(): Promise<void> {
    const { port } = loadConfig(this.serverEnvironment()).http;
    this.port = port || (await freePort());
    if (!(await isPortFree(this.port, this.host))) {
      throw new LaunchError(
        `PORT ${this.port} of ${this.host} is taken. Choose another: PORT=${this.port + 1} npm start`,
      );
    }
  }

  private async prepareDatabase(): Promise<void> {
    const { postgres } = this.stack;
    const migrationUrl = this.serverEnvironment()['DATABASE_MIGRATION_URL'] ?? '';
    if (!postgres) return void (await migrate(migrationUrl));
    const { passwords } = this.secrets.values;
    try {
      await bootstrapDatabase((name) => postgres.url('postgres', passwords.superuser, name), DATABASE, passwords);
      await migrate(migrationUrl);
    } catch (error) {
      throw withCommands(error, this.folder.path, this.servicesFolder);
    }
  }

  private async startServers(signal: AbortSignal): Promise<void> {
    const env = this.serverEnvironment();
    const api = this.startServer('api', 'main', env);
    this.startServer('worker', 'worker', env);
    const problem = this.whyNotReady(api, signal);
    const ended = this.stack.firstEnd().then((end) => ({ end }));
    const outcome = await Promise.race([problem, ended]);
    if (outcome === undefined) return;
    if (typeof outcome === 'string') throw new LaunchError(`The API did not start: ${outcome}.\n${api.lastWords()}`);
    const words = this.stack.servers.filter((server) => server.hasEnded).map((server) => server.lastWords());
    throw new LaunchError(`${outcome.end}:\n${words.join('\n')}`);
  }

  private whyNotReady(api: Server, signal: AbortSignal): Promise<string | undefined> {
    const logFile = this.folder.logOf(api.name);
    const progress = (): string => `${cpuMark(api.pid ?? 0)} ${statSync(logFile).size}`;
    return whyNotReady(apiUrl(this.host, this.port), progress, signal);
  }

  private async startFake(name: FakeName, signal: AbortSignal): Promise<void> {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const server = this.run(name, titleOfFake(name), fakeCommand(name, port, this.env), this.env);
    const settings = await Promise.race([fakeSettings(url, signal), server.ended.then(() => undefined)]);
    if (!settings) throw new LaunchError(`${titleOfFake(name)} does not answer:\n${server.lastWords()}`);
    this.fakes.set(name, { url, settings });
  }

  private startServer(name: keyof typeof TITLES, entry: string, env: NodeJS.ProcessEnv): Server {
    return this.run(
      name,
      TITLES[name],
      ['--enable-source-maps', join(projectRoot(), 'dist', 'src', `${entry}.js`)],
      env,
    );
  }

  private run(name: string, title: string, args: readonly string[], env: NodeJS.ProcessEnv): Server {
    const server = new Server(name, title, () => {
      const logFile = this.folder.logOf(name);
      const child = new ManagedProcess(name, process.execPath, args, { cwd: projectRoot(), env, logFile });
      if (child.pid !== undefined) this.lock.note(name, child.pid);
      return child;
    });
    this.stack.servers.push(server);
    return server;
  }

  private announce(): Services {
    const { postgres, redis, servers } = this.stack;
    const pids = [
      ['launcher', process.pid],
      ['postgres', postgres?.pid],
      ['redis', redis?.pid],
      ...servers.map((server) => [server.name, server.pid]),
    ].filter(([, pid]) => pid !== undefined);
    const services: Services = {
      api: apiUrl(this.host, this.port),
      ...(postgres && { postgres: this.postgresUrls(postgres) }),
      ...(redis && { redis: redis.url }),
      ...this.fakeUrls(),
      pids: Object.fromEntries(pids) as Record<string, number>,
    };
    new ServicesFile(this.folder.at('services.json')).write(services);
    return services;
  }

  private fakeUrls(): Pick<Services, 'fakeUpwork' | 'fakeAi'> {
    const [upwork, ai] = [this.fakes.get('fake-upwork'), this.fakes.get('fake-ai')];
    return { ...(upwork && { fakeUpwork: upwork.url }), ...(ai && { fakeAi: ai.url }) };
  }

  private serverEnvironment(): NodeJS.ProcessEnv {
    const { postgres, redis } = this.stack;
    return serverEnvironment(this.env, {
      secrets: this.secrets,
      dataFolder: this.folder.path,
      port: this.port || undefined,
      postgres: postgres && this.postgresUrls(postgres),
      redis: redis?.url,
      fakes: Object.assign({}, ...[...this.fakes.values()].map(({ settings }) => settings)) as Record<string, string>,
    });
  }

  private postgresUrls(postgres: EmbeddedPostgres): ReturnType<typeof roleUrls> {
    return roleUrls((login, role) => postgres.url(login, this.secrets.values.passwords[role], DATABASE));
  }
}

/** Fails only when all have come to an end, so that nothing is still starting while the rest is being stopped. */
async function settleAll(works: readonly (Promise<void> | undefined)[]): Promise<void> {
  const begun = works.filter((work) => work !== undefined);
  const failed = (await Promise.allSettled(begun)).find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}
