import { readVariables, removeClientVariables } from '../platform/config/load-config';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DataFolder, findProjectRoot, OperatorError } from '../local-services/data-folder';
import { findSharedAccount } from '../local-services/file-permissions';
import { describeError, print } from './command-line';
import { FAKE_NAMES } from './launcher/fake-programs';
import { Launcher, type LauncherOptions } from './launcher/launcher';
import { LauncherLock } from './launcher/launcher-lock';
import { type InstallationServices, ServicesFile } from '../local-services/server-environment';
import { ServiceSet } from './launcher/service-set';
import { StopRequests } from './launcher/stop-requests';

const USAGE = `Usage: npm start -- [OPTION]...

Starts PostgreSQL, Redis, the API and the worker. Ctrl-C stops everything; the data stays in place.

  --fake-upwork  adds a fake Upwork, in memory; it needs no account
  --fake-ai      adds fake AI vendors; they need no key, and their texts are marked as fake
  --no-fakes     starts no fake, also with the two options above
  --watch        rebuilds and restarts API and worker after each change of a source; Enter restarts them
  --inspect      opens ports for a debugger: 127.0.0.1:9229 in the API, 127.0.0.1:9230 in the worker
  -h, --help     prints this

npm run dev is npm start with --watch --fake-upwork --fake-ai; npm run dev -- --no-fakes starts no fake.

Settings    from the environment, then from .env in the checkout; .env.example describes all
Data        database, secrets, logs and backups are in .gigvault; GIGVAULT_DATA_DIR changes the folder;
            as root, the data of PostgreSQL and Redis is in /var/lib/gigvault
Addresses   API http://127.0.0.1:3000, Swagger UI at /docs, dashboard at /admin; PORT and HOST change them

Exit codes
  0  stopped on request: Ctrl-C or SIGTERM
  1  did not start, or stopped because a process exited too often; the reason is printed`;

/**
 * Runs `npm start` and `npm run dev`: starts everything and restarts processes that exit. Stops everything on request,
 * when a process exits too often, or when the launcher itself fails.
 */
async function main(): Promise<number> {
  const envFile = join(findProjectRoot(), '.env');
  if (existsSync(envFile)) process.loadEnvFile(envFile);
  removeClientVariables();
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') {
    print(USAGE);
    return 0;
  }
  const folder = new DataFolder();
  const lock = await LauncherLock.acquire(folder.resolve('launcher.json'));
  const serviceSet = new ServiceSet();
  const requests = new StopRequests(() => serviceSet.forceStop());
  try {
    const launcher = new Launcher(folder, lock, serviceSet, readVariables(process.env), options);
    print('Starting Gigvault …');
    warnOfSharedAccount();
    const uncaughtFault = new UncaughtFault();
    printAddresses(await launcher.start(requests.signal), launcher.consumeFirstAdmin(), folder);
    const supervised = launcher.supervise(requests.signal, print);
    restartAtEnter(serviceSet);
    const reason = await Promise.race([requests.requested, supervised, uncaughtFault.occurred]);
    if (!reason) return 0;
    print(`${reason}\nStopping the rest. Logs: ${folder.resolve('logs')}`);
    return 1;
  } catch (error) {
    if (requests.signal.aborted) return 0;
    throw error;
  } finally {
    if (serviceSet.servers.length > 0) print('Stopping: finishing accepted work (Ctrl-C again forces it) …');
    await serviceSet.stop();
    new ServicesFile(folder.resolve('services.json')).remove();
    lock.release();
    if (serviceSet.servers.length > 0) print('Stopped.');
  }
}

/** Prints a warning when root has too few accounts for its processes. */
function warnOfSharedAccount(): void {
  const shared = findSharedAccount();
  if (shared) print(`Warning: ${shared.detail}. Cure: ${shared.cure}`);
}

/** Restarts API and worker at Enter, for example after a migration; at a terminal and with --watch only. */
function restartAtEnter({ reloader }: ServiceSet): void {
  if (reloader && process.stdin.isTTY) process.stdin.on('data', () => reloader.restart());
}

/** Listener for uncaught errors of the launcher, which must still stop its processes. */
class UncaughtFault {
  /** Resolves with a sentence; never rejects. */
  readonly occurred = new Promise<string>((resolve) => {
    const fail = (error: unknown): void => {
      resolve(`The launcher failed: ${describeError(error)}`);
    };
    process.on('uncaughtException', fail);
    process.on('unhandledRejection', fail);
  });
}

/** Returns the requested options. */
function parseOptions(args: string[]): LauncherOptions | 'help' {
  try {
    const flag = { type: 'boolean', default: false } as const;
    const help = { ...flag, short: 'h' };
    const { values } = parseArgs({
      args,
      options: { 'fake-upwork': flag, 'fake-ai': flag, 'no-fakes': flag, watch: flag, inspect: flag, help },
    });
    if (values.help) return 'help';
    const fakes = new Set(FAKE_NAMES.filter((name) => values[name] && !values['no-fakes']));
    return { fakes, watch: values.watch, inspect: values.inspect };
  } catch (error) {
    throw new OperatorError(`${(error as Error).message}; npm start -- --help prints the options.`);
  }
}

function printAddresses(
  { api, postgres, fakeUpwork, fakeAi }: InstallationServices,
  admin: { email: string; password: string } | undefined,
  folder: DataFolder,
): void {
  const upworkLine = fakeUpwork
    ? `  Upwork     ${fakeUpwork}, a fake; npm run demo shows a search there up to an accepted proposal\n`
    : '';
  const aiLine = fakeAi ? `  AI         ${fakeAi}, fake vendors; their texts are marked as fake\n` : '';
  const mailLine =
    process.env['SMTP_URL'] || process.env['SMTP_URL_FILE']
      ? ''
      : `  Mail       ${api}/admin/mail, instead of a mail server\n`;
  const databaseLine = postgres ? '  Database   npm run db -- --role app\n' : '';
  print(`
  API        ${api}
  API docs   ${api}/docs
  Dashboard  ${api}/admin
${mailLine}${upworkLine}${aiLine}${databaseLine}  Logs       ${folder.resolve('logs')}
${admin ? `\n  First admin, shown only now:  ${admin.email}  ${admin.password}\n` : ''}
Ctrl-C stops everything; the data stays in place.`);
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`\nGigvault did not start. ${describeError(error)}\n`);
    process.exit(1);
  },
);
