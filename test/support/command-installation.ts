import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { InstallationServices } from '../../src/local-services/server-environment';
import { pause } from './wait-for';

const ROOT = resolve(__dirname, '..', '..');

const START = [process.execPath, 'src/cli/build.cjs', 'dist/src/cli/start.js'];

/** Ends a command that hangs; no result depends on it. */
const LIMIT_MS = 600_000;

/** The exit code and the output of a command. */
export interface CommandRun {
  readonly code: number;
  readonly output: string;
}

/** An installation on embedded services in a temporary data folder, and the real commands on it. */
export class CommandInstallation {
  private readonly home = mkdtempSync(join(tmpdir(), 'gigvault-commands-'));
  readonly dataFolder = join(this.home, 'data');
  private launcher: ChildProcess | undefined;

  /** Runs `npm start`, by default without npm, in the background and returns when it is ready. */
  async start([program, ...args]: readonly string[] = START): Promise<void> {
    const launcher = spawn(program!, args, {
      cwd: ROOT,
      env: this.buildEnvironment(),
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    this.launcher = launcher;
    while (!this.isRunning()) {
      if (launcher.exitCode !== null) throw new Error(`The launcher ended with ${launcher.exitCode}.`);
      await pause(20, 'the launcher writes a file when it is ready');
    }
  }

  /** Sends SIGINT to the started process alone, and waits for the end. */
  async stop(): Promise<void> {
    const { launcher } = this;
    if (!launcher || launcher.exitCode !== null) return;
    const exited = new Promise((done) => launcher.once('exit', done));
    launcher.kill('SIGINT');
    await exited;
  }

  /** Runs a built program of the checkout to its end, as its npm script does. */
  run(program: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<CommandRun> {
    return new Promise((done) => {
      execFile(
        process.execPath,
        ['src/cli/build.cjs', program, ...args],
        { cwd: ROOT, env: { ...this.buildEnvironment(), ...env }, timeout: LIMIT_MS },
        (error, out, err) => done({ code: error ? Number(error.code ?? 1) : 0, output: out + err }),
      );
    });
  }

  isRunning(): boolean {
    return existsSync(join(this.dataFolder, 'services.json'));
  }

  readServices(): InstallationServices {
    return JSON.parse(readFileSync(join(this.dataFolder, 'services.json'), 'utf8')) as InstallationServices;
  }

  /** Stops the installation and removes its files, also those of root's services. */
  async remove(): Promise<void> {
    await this.stop();
    const secrets = join(this.dataFolder, 'secrets.json');
    if (process.getuid?.() === 0 && existsSync(secrets)) {
      const { servicesName } = JSON.parse(readFileSync(secrets, 'utf8')) as { servicesName: string };
      rmSync(join('/var/lib/gigvault', servicesName), { recursive: true, force: true });
    }
    rmSync(this.home, { recursive: true, force: true });
  }

  private buildEnvironment(): NodeJS.ProcessEnv {
    return {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      PORT: '0',
      GIGVAULT_DATA_DIR: this.dataFolder,
      PASSWORD_HASH_COST: '4',
    };
  }
}
