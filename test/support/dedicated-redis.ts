import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { EmbeddedRedis } from '../../src/local-services/embedded-redis';
import { createPassword } from '../../src/local-services/database-setup';
import { changeOwner, findServiceUser } from '../../src/local-services/file-permissions';

/** A Redis for one test that would disturb others. */
export class DedicatedRedis {
  /** Folder of all its files. */
  readonly folder = mkdtempSync(join(tmpdir(), 'gigvault-redis-'));
  private readonly server: EmbeddedRedis;
  private admin: Redis | undefined;

  /** @param isEphemeral false for a server with an append-only file */
  constructor(isEphemeral = true) {
    const [folder, logFile] = [join(this.folder, 'data'), join(this.folder, 'redis.log')];
    this.server = new EmbeddedRedis({ folder, logFile, password: createPassword(), isEphemeral });
  }

  async start(): Promise<void> {
    changeOwner(findServiceUser(), this.folder);
    await this.server.start();
    this.admin = new Redis(this.server.url);
  }

  get url(): string {
    return this.server.url;
  }

  /** Sends one command, bypassing the application. */
  async command(name: string, ...values: string[]): Promise<unknown> {
    return this.admin!.call(name, ...values);
  }

  /** Freezes or resumes the process. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    process.kill(this.server.pid!, signal);
  }

  async stop(): Promise<void> {
    this.admin?.disconnect();
    this.server.kill();
    await this.server.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
