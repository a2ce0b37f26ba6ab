import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type DataFolder, findProjectRoot, OperatorError } from '../../local-services/data-folder';
import { findServerUsers, findServiceUser, type ServiceUser } from '../../local-services/file-permissions';
import { ManagedProcess } from '../../local-services/managed-process';
import { selectServerEnvironment } from '../../platform/config/process-settings';
import { type FakeName, findFakeProgram, getFakeTitle } from './fake-programs';
import type { LauncherLock } from './launcher-lock';
import { buildMinimalEnvironment, buildNodeCommand } from './server-account';
import type { ServiceSet } from './service-set';
import { SupervisedServer } from './supervisor';

/** API and worker: title, entry in dist/src, and the port for a debugger. */
export const SERVERS = {
  api: { title: 'The API', entry: 'main.js', inspectPort: 9229 },
  worker: { title: 'The worker', entry: 'worker.js', inspectPort: 9230 },
} as const;

const STANDBY = join('src', 'cli', 'standby.cjs');
const MIGRATIONS = join('dist', 'src', 'cli', 'launcher', 'migration-process.js');

/** A program of the checkout and how it is run. */
interface Program {
  readonly name: string;
  /** Its path in the checkout. */
  readonly path: string;
  readonly args?: readonly string[];
  /** Options of Node. */
  readonly options?: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly user: ServiceUser | undefined;
  readonly isOnStandby?: boolean;
}

/**
 * Starts the processes that run Node: API, worker, fakes and migrations. Each gets only its own logins and secrets.
 * Under root each kind has an unprivileged account of its own.
 */
export class ServerProcesses {
  private readonly users = findServerUsers();

  constructor(
    private readonly folder: DataFolder,
    private readonly lock: LauncherLock,
    private readonly serviceSet: ServiceSet,
    private readonly options: { readonly watch: boolean; readonly inspect: boolean },
  ) {}

  /**
   * Starts API or worker.
   * @param env the settings of the installation, with all logins
   * @param home the home folder of its account under root
   */
  startServer(name: keyof typeof SERVERS, env: NodeJS.ProcessEnv, home: string): SupervisedServer {
    const { title, entry, inspectPort } = SERVERS[name];
    const { inspect, watch } = this.options;
    const user = this.users?.[name];
    const path = join('dist', 'src', entry);
    return this.run(title, {
      name,
      path: watch ? STANDBY : path,
      args: watch ? [path, ...(inspect ? [String(inspectPort)] : [])] : [],
      options: ['--enable-source-maps', ...(inspect && !watch ? [`--inspect=127.0.0.1:${inspectPort}`] : [])],
      env: { ...selectServerEnvironment(name, env), ...(user && buildAccountVariables(user, home)) },
      user,
      isOnStandby: watch,
    });
  }

  /** Starts a fake on a port. It gets no setting. */
  startFake(name: FakeName, port: number, env: NodeJS.ProcessEnv): SupervisedServer {
    return this.run(getFakeTitle(name), {
      name,
      path: findFakeProgram(name, env),
      args: [String(port)],
      env: buildMinimalEnvironment(env),
      user: this.users?.api,
    });
  }

  /**
   * Runs the migrations in a process of their own.
   * @throws OperatorError with its output when it fails
   */
  async runMigrations(url: string, env: NodeJS.ProcessEnv): Promise<void> {
    rmSync(this.folder.resolveLog('migrations'), { force: true });
    const process = this.spawn({
      name: 'migrations',
      path: MIGRATIONS,
      env: buildMinimalEnvironment(env, { DATABASE_MIGRATION_URL: url }),
      user: findServiceUser(),
    });
    if (process.pid !== undefined) this.lock.addProcess('migrations', process.pid);
    if ((await process.exited) !== 'code 0')
      throw new OperatorError(`The migrations did not run:\n${process.readLogTail()}`);
  }

  private run(title: string, program: Program): SupervisedServer {
    const server = new SupervisedServer(program.name, title, {
      spawn: () => this.spawn(program),
      onStart: (pid) => this.lock.addProcess(program.name, pid),
    });
    this.serviceSet.servers.push(server);
    return server;
  }

  private spawn({ name, path, args = [], options = [], env, user, isOnStandby }: Program): ManagedProcess {
    const node = buildNodeCommand(user);
    return new ManagedProcess(name, node.command, [...node.options, ...options, join(node.root, path), ...args], {
      // Relative paths of arguments begin here.
      cwd: findProjectRoot(),
      env,
      user,
      logFile: this.folder.resolveLog(name),
      isOnStandby,
    });
  }
}

/** Replaces the variables of root's account; its home is closed to others. */
function buildAccountVariables({ name }: ServiceUser, home: string): NodeJS.ProcessEnv {
  return { HOME: home, USER: name, LOGNAME: name, XDG_CACHE_HOME: undefined };
}
