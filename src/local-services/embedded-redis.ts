import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findCacheFolder, OperatorError } from './data-folder';
import { findLibraries, findOnPath, unpackPackage } from './debian-packages';
import { setTimeout as sleep } from 'node:timers/promises';
import Redis from 'ioredis';
import { findFreePort, ManagedProcess, stopOrphan } from './managed-process';
import { changeOwner, findServiceUser, writePrivateFile } from './file-permissions';

const execute = promisify(execFile);
const SERVER_PROGRAMS = ['redis-server', 'valkey-server'] as const;

/** Is a Redis server that can be run: its path and the folder of libraries it needs besides the system's. */
export interface RedisProgram {
  command: string;
  libraries?: string;
}

/**
 * Finds redis-server or valkey-server on PATH, else in the cache, else fetches Debian's or Ubuntu's signed package
 * into the cache without installing it (no root needed; about a second).
 * @throws LaunchError that names every way out when there is none
 */
export async function findRedisProgram(): Promise<RedisProgram> {
  const installed = findOnPath(SERVER_PROGRAMS);
  if (installed !== undefined) return { command: installed };
  const place = join(findCacheFolder(), `redis-${process.arch}`);
  try {
    await unpackPackage('redis-tools', place);
    return await checkUnpacked(place);
  } catch (error) {
    await rm(place, { recursive: true, force: true });
    throw new OperatorError(`${INSTALL_HELP}\n(${summarize(error)})`);
  }
}

const INSTALL_HELP = `No Redis was found, and none could be fetched with apt. Any one of these helps:
  apt install redis-server        (Debian, Ubuntu)
  brew install redis              (macOS)
  docker compose -f docker/compose.yml --env-file .env up --build   (everything in containers)
  REDIS_URL=redis://…             (a Redis 6 or newer of your own)`;

/** Checks that the unpacked server runs here. */
async function checkUnpacked(place: string): Promise<RedisProgram> {
  const folder = join(place, 'root', 'usr', 'bin');
  const command = join(folder, 'redis-server');
  // The server and the checker are one program that looks at the name it is called by; the link is another package's.
  if (!existsSync(command)) symlinkSync('redis-check-rdb', command);
  const libraries = findLibraries(place);
  await execute(command, ['--version'], { env: { LD_LIBRARY_PATH: libraries } });
  return { command, libraries };
}

function summarize(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n').slice(0, 2).join(' ');
}

const START_TIMEOUT_MS = 15_000;

interface EmbeddedRedisOptions {
  /** Data folder; made on the first start, inside a folder the service user may enter. */
  folder: string;
  logFile: string;
  password: string;
  /** Taken when it is free. */
  preferredPort?: number;
  /** For tests: nothing is written to disk, and there are 512 databases. */
  isEphemeral?: boolean;
}

/** A Redis server of our own on 127.0.0.1 with a password; it refuses writes when full rather than lose tasks. */
export class EmbeddedRedis {
  readonly title = 'Redis';
  /** Known after `start`; a later start keeps it. */
  port = 0;
  private process: ManagedProcess | undefined;
  private readonly user = findServiceUser();

  constructor(private readonly options: EmbeddedRedisOptions) {}

  get pid(): number | undefined {
    return this.process?.pid;
  }

  get url(): string {
    return `redis://:${encodeURIComponent(this.options.password)}@127.0.0.1:${this.port}/0`;
  }

  /** Settles when the server has ended for whatever reason. */
  get exited(): Promise<string> {
    return this.process?.exited ?? new Promise(() => undefined);
  }

  /**
   * Starts the server and returns when it answers. A server that a killed run left on the same data is stopped first.
   * @throws LaunchError when there is no Redis to run, or with the last lines of its log when it does not start
   */
  async start(): Promise<void> {
    const { folder, logFile, preferredPort } = this.options;
    const program = await findRedisProgram();
    const configFile = join(folder, 'redis.conf');
    const pidFile = join(folder, 'redis.pid');
    await stopOrphan(pidFile, folder, ['SIGTERM', 'SIGKILL']);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    changeOwner(this.user, folder);
    this.port = await this.choosePort(preferredPort);
    // A file, not arguments: every user of the machine may read those. Redis reads the file's path as a pattern, so it comes as
    // the standard input; the argument is for the next start, which recognises by it a server that a killed run left.
    writePrivateFile(configFile, this.buildConfig());
    changeOwner(this.user, configFile);
    const server = new ManagedProcess('redis', program.command, ['-', '--pidfile', pidFile], {
      cwd: folder,
      inputFile: configFile,
      env: { PATH: process.env['PATH'], LD_LIBRARY_PATH: program.libraries },
      user: this.user,
      logFile,
    });
    await this.waitUntilReady(server);
    this.process = server;
  }

  /** Ends the server after it has written what it holds, bounded. */
  async stop(): Promise<void> {
    await this.process?.stop({ signal: 'SIGTERM', graceMs: 10_000, forceSignal: 'SIGKILL' });
  }

  /** Returns the last lines of its log. */
  readLogTail(): string {
    return this.process?.readLogTail() ?? '';
  }

  /** Ends the server at once. */
  kill(): void {
    this.process?.kill('SIGKILL');
  }

  /** Its clients know the port it has had. */
  private async choosePort(preferred: number | undefined): Promise<number> {
    const port = await findFreePort(this.process ? this.port : preferred);
    if (this.process && port !== this.port)
      throw new OperatorError(`Port ${this.port} was taken by another program meanwhile.`);
    return port;
  }

  private async waitUntilReady(server: ManagedProcess): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!server.hasExited && Date.now() < deadline) {
      if (await this.isReady()) return;
      await Promise.race([sleep(25), server.exited]);
    }
    await server.stop({ signal: 'SIGKILL', graceMs: 0, forceSignal: 'SIGKILL' });
    throw new OperatorError(`The embedded Redis did not start (${this.options.logFile}):\n${server.readLogTail()}`);
  }

  private async isReady(): Promise<boolean> {
    const client = new Redis(this.url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return (await client.ping()) === 'PONG';
    } catch {
      return false;
    } finally {
      client.disconnect();
    }
  }

  private buildConfig(): string {
    const { folder, password, isEphemeral: isFast } = this.options;
    return [
      'bind 127.0.0.1',
      `port ${this.port}`,
      `requirepass ${password}`,
      `dir ${quote(folder)}`,
      // Its command line stays as we gave it.
      'set-proc-title no',
      'daemonize no',
      'save ""',
      `appendonly ${isFast ? 'no' : 'yes'}`,
      `databases ${isFast ? 512 : 16}`,
      'maxmemory-policy noeviction',
      '',
    ].join('\n');
  }
}

/** Redis reads a quoted value as C does. */
function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
