import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { OperatorError } from './data-folder';
import { findCacheFolder, findLibraries, findOnPath, unpackPackage } from './service-programs';
import { setTimeout as sleep } from 'node:timers/promises';
import Redis from 'ioredis';
import { findFreePort, ManagedProcess, stopOrphan } from './managed-process';
import { changeOwner, findServiceUser, writePrivateFile } from './file-permissions';
import { explainServerLog } from './storage-problems';

const execute = promisify(execFile);
const SERVER_PROGRAMS = ['redis-server', 'valkey-server'] as const;

/** A Redis server program: its path and, if unpacked, the folder of its libraries. */
export interface RedisProgram {
  command: string;
  libraries?: string;
}

/**
 * Finds redis-server or valkey-server on PATH, then in the cache. Otherwise fetches the signed package of Debian or
 * Ubuntu into the cache without installing it, which needs no root and takes about a second.
 * @throws OperatorError that lists all alternatives when there is none
 */
export async function findRedisProgram(): Promise<RedisProgram> {
  const installed = findOnPath(SERVER_PROGRAMS);
  if (installed !== undefined) return { command: installed };
  const folder = join(findCacheFolder(), `redis-${process.arch}`);
  try {
    await unpackPackage('redis-tools', folder);
    return await checkUnpacked(folder);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw new OperatorError(`${INSTALL_HELP}\n(${summarize(error)})`);
  }
}

const INSTALL_HELP = `No Redis was found, and apt could not fetch one. Any one of these helps:
  apt install redis-server        (Debian, Ubuntu)
  brew install redis              (macOS)
  docker compose -f docker/compose.yml --env-file .env up --build   (everything in containers)
  REDIS_URL=redis://…             (your own Redis 6 or newer)`;

/** Checks that the unpacked server runs on this machine. */
async function checkUnpacked(folder: string): Promise<RedisProgram> {
  const command = join(folder, 'root', 'usr', 'bin', 'redis-server');
  // redis-server and redis-check-rdb are one program that checks its own name; the link is in another package.
  if (!existsSync(command)) symlinkSync('redis-check-rdb', command);
  const libraries = findLibraries(folder);
  await execute(command, ['--version'], { env: { LD_LIBRARY_PATH: libraries } });
  return { command, libraries };
}

function summarize(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n').slice(0, 2).join(' ');
}

const START_TIMEOUT_MS = 60_000;

interface EmbeddedRedisOptions {
  /** Data folder; created at the first start, in a folder that the service user can enter. */
  folder: string;
  logFile: string;
  password: string;
  /** Used when it is free. */
  preferredPort?: number;
  /** For tests: no persistence, and 512 databases. */
  isEphemeral?: boolean;
}

/**
 * A Redis server on 127.0.0.1 with a password. When its memory is full, it refuses writes: evictions would lose
 * tasks.
 */
export class EmbeddedRedis {
  readonly title = 'Redis';
  /** Set by `start`; a restart keeps it. */
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

  /** Resolves when the server has ended. */
  get exited(): Promise<string> {
    return this.process?.exited ?? new Promise(() => undefined);
  }

  /**
   * Starts the server and returns when it answers. An orphaned server on the same data is stopped first.
   * @throws OperatorError without a Redis program, or with the last lines of its log when it does not start
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
    // Not arguments: every user of the machine may read them. Redis treats the path of a config file as a pattern, so
    // the file is its standard input. `stopOrphan` recognizes an orphaned server by the --pidfile argument.
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

  /** Stops the server after it has written its data; after 10 seconds it is killed. */
  async stop(): Promise<void> {
    await this.process?.stop({ signal: 'SIGTERM', graceMs: 10_000, forceSignal: 'SIGKILL' });
  }

  /** Returns the last lines of its log. */
  readLogTail(): string {
    return this.process?.readLogTail() ?? '';
  }

  /** Kills the server. */
  kill(): void {
    this.process?.kill('SIGKILL');
  }

  /** Keeps the port at a restart, because clients use it. */
  private async choosePort(preferred: number | undefined): Promise<number> {
    const port = await findFreePort(this.process ? this.port : preferred);
    if (this.process && port !== this.port) throw new OperatorError(`Port ${this.port} was taken by another program.`);
    return port;
  }

  private async waitUntilReady(server: ManagedProcess): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!server.hasExited && Date.now() < deadline) {
      if (await this.isReady()) return;
      await Promise.race([sleep(25), server.exited]);
    }
    await server.stop({ signal: 'SIGKILL', graceMs: 0, forceSignal: 'SIGKILL' });
    const log = server.readLogTail();
    const text = `The embedded Redis did not start (${this.options.logFile}):\n${log}`;
    throw explainServerLog(log, this.options.folder) ?? new OperatorError(text);
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
    const { folder, password, isEphemeral } = this.options;
    return [
      'bind 127.0.0.1',
      `port ${this.port}`,
      `requirepass ${password}`,
      `dir ${quote(folder)}`,
      // Keeps the command line, by which stopOrphan recognizes the server.
      'set-proc-title no',
      'daemonize no',
      'save ""',
      `appendonly ${isEphemeral ? 'no' : 'yes'}`,
      `databases ${isEphemeral ? 512 : 16}`,
      'maxmemory-policy noeviction',
      '',
    ].join('\n');
  }
}

/** Quotes a value; Redis uses the escapes of C. */
function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
