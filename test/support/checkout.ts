import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { InstallationServices } from '../../src/local-services/server-environment';
import { isAlive } from '../../src/local-services/managed-process';
import { pause } from './wait-for';

const ROOT = resolve(__dirname, '..', '..');

/** Responds like the API, to /slow after a second. Logs that request, and which services were up after draining. */
const API = `
const { appendFileSync } = require('node:fs');
const { connect } = require('node:net');
const note = (text) => appendFileSync(process.env.TEST_EVENTS, text + '\\n');
const isUp = (url) => new Promise((done) => {
  const { hostname: host, port } = new URL(url);
  const socket = connect({ host, port }, () => { socket.destroy(); done('up'); });
  socket.on('error', () => done('down'));
});
const server = require('node:http').createServer((request, response) => {
  if (request.url === '/fakes') return response.end(process.env.UPWORK_API_URL + ' ' + process.env.AI_OPENAI_BASE_URL);
  if (request.url === '/slow') note('asked for /slow');
  setTimeout(() => response.end('served'), request.url === '/slow' ? 1000 : 0);
});
server.listen(process.env.PORT, '127.0.0.1');
process.on('SIGINT', () => note('api was interrupted'));
process.on('SIGTERM', () => server.close(async () => {
  note('drained, postgres ' + await isUp(process.env.DATABASE_URL) + ', redis ' + await isUp(process.env.REDIS_URL));
  process.exit(0);
}));
`;
const WORKER = `setInterval(() => undefined, 1000); process.on('SIGTERM', () => process.exit(0));`;

/** Characters with a meaning for shells, file patterns and configuration files. */
const UNUSUAL_FOLDER = join('gigvault (1)', `[copy] {a,b} $HOME "it's" #ü`);

/** Variables for another PostgreSQL in the user's shell; none of them may affect the product. */
const VARIABLES_OF_ANOTHER_DATABASE = {
  PGSSLMODE: 'require',
  PGOPTIONS: '-c search_path=nowhere',
  PGHOST: 'db.invalid',
  PGUSER: 'somebody',
  PGPASSWORD: 'something',
  PGSERVICE: 'elsewhere',
  PGPASSFILE: '/nowhere',
  PGTZ: 'Asia/Tokyo',
  PGCLIENTENCODING: 'LATIN1',
  NODE_PG_FORCE_NATIVE: '1',
};

/**
 * A built copy of the repository in a temporary folder with an unusual name, with stubs for the API and the worker. It
 * is started with the variables of another database.
 */
export class Checkout {
  readonly path: string;
  private readonly home = mkdtempSync(join(tmpdir(), 'gigvault-checkout-'));
  private readonly runs: LauncherRun[] = [];

  /** @param isClosed like a checkout below /root: other accounts may not enter its parent folder */
  constructor({ isClosed = false } = {}) {
    this.path = join(this.home, UNUSUAL_FOLDER);
    mkdirSync(this.path, { recursive: true });
    chmodSync(this.home, 0o755);
    chmodSync(join(this.home, dirname(UNUSUAL_FOLDER)), isClosed ? 0o700 : 0o755);
    writeFileSync(this.events, '');
    chmodSync(this.events, 0o666);
    for (const name of [
      'package.json',
      'package-lock.json',
      '.swcrc',
      'ormconfig.ts',
      'typeorm-migrations',
      'docker',
    ]) {
      cpSync(join(ROOT, name), join(this.path, name), { recursive: true });
    }
    for (const name of [
      'cli',
      'local-services',
      'platform/config',
      'platform/database',
      'platform/concurrency',
      'platform/encryption/key-file.ts',
      'platform/logging',
      'platform/redis/redis-options.ts',
    ]) {
      cpSync(join(ROOT, 'src', name), join(this.path, 'src', name), { recursive: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(this.path, 'node_modules'));
    execFileSync(process.execPath, ['src/cli/build.cjs'], { cwd: this.path });
    writeFileSync(join(this.path, 'dist', 'src', 'main.js'), API);
    writeFileSync(join(this.path, 'dist', 'src', 'worker.js'), WORKER);
  }

  /** The file in which the API notes what happens; every account may write to it. */
  get events(): string {
    return join(this.home, 'events');
  }

  /** Returns a path in the data folder. */
  createDataFolder(name: string): string {
    return join(this.path, '.gigvault', name);
  }

  /** Writes a script that NODE_OPTIONS can preload and returns its path, which has no spaces. */
  writeScript(name: string, script: string): string {
    writeFileSync(join(this.home, name), script);
    return join(this.home, name);
  }

  /** Adds a file or folder of the repository. */
  addFiles(...names: readonly string[]): void {
    for (const name of names) cpSync(join(ROOT, name), join(this.path, name), { recursive: true });
  }

  /** Runs the launcher as `npm start -- ARGS` does, in its own process group, like a foreground job of a shell. */
  start(env: NodeJS.ProcessEnv = {}, ...args: readonly string[]): LauncherRun {
    const run = new LauncherRun(this, env, args);
    this.runs.push(run);
    return run;
  }

  /** Ends what still runs and removes all files. */
  async remove(): Promise<void> {
    await Promise.all(this.runs.map((run) => run.interrupt()));
    // A test may have used a second data folder next to the first.
    const secrets = readdirSync(this.path)
      .map((name) => join(this.path, name, 'secrets.json'))
      .filter((file) => existsSync(file));
    for (const file of process.getuid?.() === 0 ? secrets : []) {
      const { servicesName } = JSON.parse(readFileSync(file, 'utf8')) as { servicesName: string };
      rmSync(join('/var/lib/gigvault', servicesName), { recursive: true, force: true });
    }
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** One run of the launcher. */
export class LauncherRun {
  /** Its output so far. */
  output = '';
  /** Settles with the exit code, or with the name of the signal that ended it. */
  readonly exited: Promise<number | string>;
  private readonly child: ChildProcess;

  constructor(
    private readonly checkout: Checkout,
    env: NodeJS.ProcessEnv,
    args: readonly string[],
  ) {
    mkdirSync(join(checkout.path, '.gigvault'), { recursive: true });
    this.child = spawn(process.execPath, ['src/cli/build.cjs', 'dist/src/cli/start.js', ...args], {
      cwd: checkout.path,
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        PORT: '0',
        TEST_EVENTS: checkout.events,
        ...VARIABLES_OF_ANOTHER_DATABASE,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    }
    this.exited = new Promise((done) => this.child.once('exit', (code, signal) => done(code ?? String(signal))));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Waits until it prints how to stop it, and returns the running services. */
  async waitUntilReady(): Promise<InstallationServices> {
    await this.waitForOutput('Ctrl-C stops everything');
    return JSON.parse(readFileSync(this.checkout.createDataFolder('services.json'), 'utf8')) as InstallationServices;
  }

  /** Waits until services.json has the expected content, and returns it. */
  async waitForServices(isWanted: (services: InstallationServices) => boolean): Promise<InstallationServices> {
    for (;;) {
      if (this.child.exitCode !== null) throw new Error(this.output);
      const services = JSON.parse(
        readFileSync(this.checkout.createDataFolder('services.json'), 'utf8'),
      ) as InstallationServices;
      if (isWanted(services)) return services;
      await pause(20, 'the launcher reports changes of its files by no event');
    }
  }

  /** Waits until it has printed this text. */
  async waitForOutput(text: string): Promise<void> {
    while (!this.output.includes(text)) {
      if (this.child.exitCode !== null) throw new Error(this.output);
      await pause(20, 'the launcher reports changes of its files by no event');
    }
  }

  /** Presses Ctrl-C: the terminal signals the whole foreground group. Returns the exit code. */
  async interrupt(): Promise<number | string> {
    if (this.child.exitCode === null && this.child.signalCode === null) process.kill(-this.pid, 'SIGINT');
    return this.exited;
  }
}

/** Returns the names of the processes that still run. */
export function listStillRunning({ pids }: InstallationServices): string[] {
  return Object.keys(pids).filter((name) => isAlive(pids[name] ?? 0));
}
