import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Redis from 'ioredis';
import { freePort } from './free-port';
import { LaunchError } from './launch-error';
import { stopLeftover } from './leftovers';
import { ManagedProcess } from './managed-process';
import { writePrivateFile } from './private-file';
import { redisProgram } from './redis-program';
import { giveTo, serviceUser } from './service-user';

const START_LIMIT_MS = 15_000;

interface EmbeddedRedisOptions {
  /** Data folder; made on the first start, inside a folder the service user may enter. */
  folder: string;
  logFile: string;
  password: string;
  /** Taken when it is free. */
  preferredPort?: number;
  /** For tests: nothing is written to disk, and there are 512 databases. */
  isFast?: boolean;
}

/** A Redis server of our own on 127.0.0.1 with a password; it refuses writes when full rather than lose tasks. */
export class EmbeddedRedis {
  readonly title = 'Redis';
  /** Known after `start`; a later start keeps it. */
  port = 0;
  private process: ManagedProcess | undefined;
  private readonly user = serviceUser();

  constructor(private readonly options: EmbeddedRedisOptions) {}

  get pid(): number | undefined {
    return this.process?.pid;
  }

  get url(): string {
    return `redis://:${encodeURIComponent(this.options.password)}@127.0.0.1:${this.port}/0`;
  }

  /** Settles when the server has ended for whatever reason. */
  get ended(): Promise<string> {
    return this.process?.ended ?? new Promise(() => undefined);
  }

  /**
   * Starts the server and returns when it answers. A server that a killed run left on the same data is stopped first.
   * @throws LaunchError when there is no Redis to run, or with the last lines of its log when it does not start
   */
  async start(): Promise<void> {
    const { folder, logFile, preferredPort } = this.options;
    const program = await redisProgram();
    const configFile = join(folder, 'redis.conf');
    const pidFile = join(folder, 'redis.pid');
    await stopLeftover(pidFile, folder, ['SIGTERM', 'SIGKILL']);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    giveTo(this.user, folder);
    this.port = await this.choosePort(preferredPort);
    // A file, not arguments: every user of the machine may read those. Redis reads the file's path as a pattern, so it comes as
    // the standard input; the argument is for the next start, which recognises by it a server that a killed run left.
    writePrivateFile(configFile, this.config());
    giveTo(this.user, configFile);
    const server = new ManagedProcess('redis', program.command, ['-', '--pidfile', pidFile], {
      cwd: folder,
      inputFile: configFile,
      env: { PATH: process.env['PATH'], LD_LIBRARY_PATH: program.libraries },
      user: this.user,
      logFile,
    });
    await this.waitFor(server);
    this.process = server;
  }

  /** Ends the server after it has written what it holds, bounded. */
  async stop(): Promise<void> {
    await this.process?.stop({ signal: 'SIGTERM', graceMs: 10_000, force: 'SIGKILL' });
  }

  /** Returns the last lines of its log. */
  lastWords(): string {
    return this.process?.lastWords() ?? '';
  }

  /** Ends the server at once. */
  kill(): void {
    this.process?.kill('SIGKILL');
  }

  /** Its clients know the port it has had. */
  private async choosePort(preferred: number | undefined): Promise<number> {
    const port = await freePort(this.process ? this.port : preferred);
    if (this.process && port !== this.port)
      throw new LaunchError(`Port ${this.port} was taken by another program meanwhile.`);
    return port;
  }

  private async waitFor(server: ManagedProcess): Promise<void> {
    const deadline = Date.now() + START_LIMIT_MS;
    while (!server.hasEnded && Date.now() < deadline) {
      if (await this.answers()) return;
      await Promise.race([sleep(25), server.ended]);
    }
    await server.stop({ signal: 'SIGKILL', graceMs: 0, force: 'SIGKILL' });
    throw new LaunchError(`The embedded Redis did not start (${this.options.logFile}):\n${server.lastWords()}`);
  }

  private async answers(): Promise<boolean> {
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

  private config(): string {
    const { folder, password, isFast } = this.options;
    return [
      'bind 127.0.0.1',
      `port ${this.port}`,
      `requirepass ${password}`,
      `dir ${quoted(folder)}`,
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
function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
