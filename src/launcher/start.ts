import { removeClientVariables } from '../platform/config/client-variables';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ConfigError } from '../platform/config/load-config';
import { DataFolder } from './data-folder';
import { FAKE_NAMES, type FakeName } from './fakes';
import { LaunchError } from './launch-error';
import { Launcher } from './launcher';
import { LauncherLock } from './launcher-lock';
import { projectRoot } from './project-root';
import { type Services, ServicesFile } from './services-file';
import { Stack } from './stack';
import { StopRequests } from './stop-requests';

const USAGE = `npm start                      starts PostgreSQL, Redis, the API and the worker; Ctrl-C stops everything
npm start -- --fake-upwork     with an Upwork of its own, in memory, to connect to without an account there
npm start -- --fake-ai         with AI vendors of its own, which need no key; what they write is marked as fake
npm start -- --help            prints this

Both fakes may be combined. Settings come from the environment and from .env; .env.example describes them all.`;

/**
 * Runs `npm start [-- --fake-upwork --fake-ai]`: starts everything, restarts what ends by itself, and stops everything when it is
 * asked to, when a process ends again and again, or when the launcher itself fails.
 */
async function main(): Promise<number> {
  const envFile = join(projectRoot(), '.env');
  if (existsSync(envFile)) process.loadEnvFile(envFile);
  removeClientVariables();
  const options = optionsOf(process.argv.slice(2));
  if (options === 'help') {
    say(USAGE);
    return 0;
  }
  const folder = new DataFolder();
  const lock = await LauncherLock.take(folder.at('launcher.json'));
  const stack = new Stack();
  const requests = new StopRequests(() => stack.hasten());
  try {
    const launcher = new Launcher(folder, lock, stack, process.env, options);
    say('Starting Gigvault …');
    const ownFault = new OwnFault();
    greet(await launcher.start(requests.signal), launcher.takeAdmin(), folder);
    const reason = await Promise.race([requests.first, launcher.supervise(requests.signal, say), ownFault.happened]);
    if (!reason) return 0;
    say(`${reason}\nStopping the rest. Logs: ${folder.at('logs')}`);
    return 1;
  } catch (error) {
    if (requests.signal.aborted) return 0;
    throw error;
  } finally {
    if (stack.servers.length > 0) say('Stopping: finishing what was accepted (Ctrl-C again cuts it short) …');
    await stack.stop();
    new ServicesFile(folder.at('services.json')).remove();
    lock.release();
  }
}

/** Listens, from the moment it is made, to what fails in the launcher and nothing catches: it must not leave its processes behind. */
class OwnFault {
  /** Settles with a sentence; never rejects. */
  readonly happened = new Promise<string>((resolve) => {
    const fail = (error: unknown): void => {
      resolve(`The launcher failed: ${error instanceof Error ? error.stack : String(error)}`);
    };
    process.on('uncaughtException', fail);
    process.on('unhandledRejection', fail);
  });
}

/** Returns the fakes that are wanted. */
function optionsOf(args: string[]): ReadonlySet<FakeName> | 'help' {
  try {
    const flag = { type: 'boolean', default: false } as const;
    const { values } = parseArgs({
      args,
      options: { 'fake-upwork': flag, 'fake-ai': flag, help: { ...flag, short: 'h' } },
    });
    return values.help ? 'help' : new Set(FAKE_NAMES.filter((name) => values[name]));
  } catch (error) {
    throw new LaunchError(`${(error as Error).message}; the options are --fake-upwork, --fake-ai and --help.`);
  }
}

function greet(
  { api, postgres, fakeUpwork, fakeAi }: Services,
  admin: { email: string; password: string } | undefined,
  folder: DataFolder,
): void {
  say(`
  API        ${api}
  Swagger    ${api}/docs
  Dashboard  ${api}/admin
${fakeUpwork ? `  Upwork     ${fakeUpwork}, a fake one; npm run demo walks from a search there to an accepted proposal\n` : ''}${fakeAi ? `  AI         ${fakeAi}, fake vendors; what they write is marked as fake\n` : ''}${postgres ? '  Database   npm run db -- --role app\n' : ''}  Logs       ${folder.at('logs')}
${admin ? `\n  First admin, shown only now:  ${admin.email}  ${admin.password}\n` : ''}
Ctrl-C stops everything; the data stays in place.`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function explain(error: unknown): void {
  const isForPeople = error instanceof LaunchError || error instanceof ConfigError;
  const text = isForPeople ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`\nGigvault did not start. ${text}\n`);
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    explain(error);
    process.exit(1);
  },
);
