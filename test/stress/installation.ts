import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { InstallationServices } from '../../src/local-services/server-environment';
import { pause } from '../support/wait-for';

const ROOT = resolve(__dirname, '..', '..');

/** The admin of the scenario's installations; set in this process too, so that it can read the outbox. */
export const ADMIN_SETTINGS = {
  GIGVAULT_ADMIN_EMAIL: 'admin@example.org',
  GIGVAULT_ADMIN_PASSWORD: 'only for this scenario',
};

/** A whole installation (`npm start`) with its own data folder, which outlives kills and is removed at the end. */
export class StressInstallation {
  /** Its data folder: keys, logs and the list of running services. */
  readonly folder = mkdtempSync(join(tmpdir(), 'gigvault-stress-'));
  private launcher: ChildProcess | undefined;
  private output = '';

  /** @param root the repository to start from, by default this one */
  constructor(
    private readonly settings: Readonly<Record<string, string>> = {},
    private readonly root = ROOT,
  ) {
    Object.assign(process.env, ADMIN_SETTINGS);
  }

  /** Starts everything and returns the running services once the API is ready. */
  async start(): Promise<InstallationServices> {
    this.output = '';
    const launcher = spawn(process.execPath, ['src/cli/build.cjs', 'dist/src/cli/start.js'], {
      cwd: this.root,
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        PORT: '0',
        RATE_LIMIT_PER_MINUTE: '0',
        LOG_LEVEL: 'warn',
        GIGVAULT_DATA_DIR: this.folder,
        ...ADMIN_SETTINGS,
        ...this.settings,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.launcher = launcher;
    for (const stream of [launcher.stdout, launcher.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    }
    while (!this.output.includes('Ctrl-C stops everything')) {
      if (launcher.exitCode !== null) throw new Error(this.output);
      await pause(20, 'the launcher is a process of its own');
    }
    return JSON.parse(readFileSync(join(this.folder, 'services.json'), 'utf8')) as InstallationServices;
  }

  /** Returns the launcher's output since its start. */
  get launcherOutput(): string {
    return this.output;
  }

  /** Stops everything as Ctrl-C does; keeps the data. */
  async stop(): Promise<void> {
    if (this.launcher?.exitCode === null && this.launcher.pid) process.kill(this.launcher.pid, 'SIGINT');
    while (this.launcher?.exitCode === null && this.launcher.signalCode === null) {
      await pause(20, 'the launcher is a process of its own');
    }
  }

  /** Stops everything and removes the data. */
  async remove(): Promise<void> {
    await this.stop();
    const secrets = join(this.folder, 'secrets.json');
    if (existsSync(secrets) && process.getuid?.() === 0) {
      const { servicesName } = JSON.parse(readFileSync(secrets, 'utf8')) as { servicesName: string };
      rmSync(join('/var/lib/gigvault', servicesName), { recursive: true, force: true });
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
