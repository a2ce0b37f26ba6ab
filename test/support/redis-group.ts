import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { createPassword } from '../../src/local-services/database-setup';
import { findRedisProgram, type RedisProgram } from '../../src/local-services/embedded-redis';
import { changeOwner, findServiceUser } from '../../src/local-services/file-permissions';
import { findFreePort, ManagedProcess } from '../../src/local-services/managed-process';
import { waitFor } from './wait-for';

const MEMBERS = 3;

/** Name of the primary in docker/ha/redis/sentinel.conf. */
const PRIMARY_NAME = 'gigvault';

interface Member {
  readonly port: number;
  readonly process: ManagedProcess;
}

/** Three Redis and three Sentinels with the files of docker/ha/redis, on 127.0.0.1. */
export class RedisGroup {
  private readonly folder = mkdtempSync(join(tmpdir(), 'gigvault-redis-group-'));
  private readonly password = createPassword();
  private readonly members: Member[] = [];
  private readonly sentinels: Member[] = [];
  private readonly user = findServiceUser();

  /** The settings of a process that uses this group. */
  get settings(): Record<string, string> {
    return {
      // The host is not used: Sentinel names the primary.
      REDIS_URL: `redis://:${this.password}@redis.invalid/0`,
      REDIS_SENTINELS: this.sentinels.map(({ port }) => `127.0.0.1:${port}`).join(','),
      REDIS_SENTINEL_NAME: PRIMARY_NAME,
    };
  }

  /** Starts all, and returns once a Sentinel knows both replicas and the other Sentinels. */
  async start(): Promise<void> {
    changeOwner(this.user, this.folder);
    const program = await findRedisProgram();
    for (let i = 0; i < MEMBERS; i += 1) this.members.push(await this.startMember(program, i));
    for (let i = 0; i < MEMBERS; i += 1) this.sentinels.push(await this.startSentinel(program, i));
    await Promise.all(
      this.sentinels.map((sentinel) =>
        waitFor('Sentinel knows the others', async () => {
          const { slaves, sentinels } = await this.describePrimary(sentinel).catch(() => ({
            slaves: '',
            sentinels: '',
          }));
          return slaves === String(MEMBERS - 1) && sentinels === String(MEMBERS);
        }),
      ),
    );
  }

  /** Returns the port of the primary as a Sentinel names it. */
  async findPrimaryPort(): Promise<number> {
    const sentinel = this.sentinels.find(({ process }) => !process.hasExited)!;
    const address = await this.send(sentinel.port, undefined, 'SENTINEL', 'get-master-addr-by-name', PRIMARY_NAME);
    return Number((address as string[])[1]);
  }

  /** Sends a signal to the Redis at this port. */
  signal(port: number, signal: NodeJS.Signals): void {
    this.members.find((member) => member.port === port)!.process.kill(signal);
  }

  /** Lets every Redis continue that is frozen. */
  resumeAll(): void {
    for (const { process } of this.members) process.kill('SIGCONT');
  }

  /** Sends one command to the Redis at this port. */
  command(port: number, ...command: [string, ...string[]]): Promise<unknown> {
    return this.send(port, this.password, ...command);
  }

  async stop(): Promise<void> {
    for (const { process } of [...this.sentinels, ...this.members]) {
      process.kill('SIGCONT');
      process.kill('SIGKILL');
      await process.exited;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async startMember(program: RedisProgram, i: number): Promise<Member> {
    const port = await findFreePort();
    const [first] = this.members;
    const process = this.startProcess(program, `redis-${i}`, port, [
      readFileSync('docker/ha/redis/redis.conf', 'utf8'),
      `requirepass ${this.password}`,
      `masterauth ${this.password}`,
      ...(first ? [`replicaof 127.0.0.1 ${first.port}`] : []),
    ]);
    await waitFor('Redis answers', () => this.command(port, 'PING').catch(() => undefined));
    return { port, process };
  }

  private async startSentinel(program: RedisProgram, i: number): Promise<Member> {
    const port = await findFreePort();
    const text = readFileSync('docker/ha/redis/sentinel.conf', 'utf8')
      .replaceAll('redis-1 6379', `127.0.0.1 ${this.members[0]!.port}`)
      .replaceAll('change-me', this.password);
    const process = this.startProcess(program, `sentinel-${i}`, port, [text], ['--sentinel']);
    await waitFor('Sentinel answers', () => this.send(port, undefined, 'PING').catch(() => undefined));
    return { port, process };
  }

  private startProcess(
    program: RedisProgram,
    name: string,
    port: number,
    lines: readonly string[],
    args: readonly string[] = [],
  ): ManagedProcess {
    const file = join(this.folder, `${name}.conf`);
    const own = [`port ${port}`, 'bind 127.0.0.1', 'protected-mode no', `dir ${this.folder}`];
    const files = args.length > 0 ? [] : [`appenddirname ${name}`, `dbfilename ${name}.rdb`];
    writeFileSync(file, `${[...lines, ...own, ...files].join('\n')}\n`);
    changeOwner(this.user, file);
    return new ManagedProcess(name, program.command, [file, ...args], {
      cwd: this.folder,
      env: { PATH: process.env['PATH'], LD_LIBRARY_PATH: program.libraries },
      user: this.user,
      logFile: join(this.folder, `${name}.log`),
    });
  }

  private async describePrimary({ port }: Member): Promise<{ slaves: string; sentinels: string }> {
    const text = String(await this.send(port, undefined, 'INFO', 'sentinel'));
    const [, slaves = '', sentinels = ''] = /slaves=(\d+),sentinels=(\d+)/.exec(text) ?? [];
    return { slaves, sentinels };
  }

  private async send(port: number, password: string | undefined, name: string, ...values: string[]): Promise<unknown> {
    const client = new Redis({ host: '127.0.0.1', port, password, lazyConnect: true, retryStrategy: () => null });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await client.call(name, ...values);
    } finally {
      client.disconnect();
    }
  }
}
