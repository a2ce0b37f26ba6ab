import '../platform/config/load-config';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProjectRoot, OperatorError } from '../local-services/data-folder';
import type { InstallationServices } from '../local-services/server-environment';
import { ApiError, isLocalServer } from './api-client';
import { signIn } from './demo-account';
import { Operator, readRunningServices } from './operator';
import { createSeedAccounts } from './seed/seed-accounts';
import { generateJobs } from './seed/seed-jobs';
import { SEED_ADMIN, SEED_USERS } from './seed/seed-users';
import { UserSeeder } from './seed/user-seeder';
import { Terminal } from './terminal';

const OPERATION = 'npm run seed';

const REFUSED = 'The passwords of seed data are public, so it fills development installations only';

/**
 * Runs `npm run seed`: fills the installation of this checkout with the same accounts and rows each time. A second run
 * adds nothing. Without a running installation it starts one and stops it afterwards.
 */
async function main(): Promise<void> {
  if (process.argv.length > 2) throw new OperatorError('npm run seed has no options. Nothing was changed.');
  const envFile = join(findProjectRoot(), '.env');
  if (existsSync(envFile)) process.loadEnvFile(envFile);
  if (process.env['NODE_ENV'] === 'production') throw new OperatorError(`${REFUSED}: NODE_ENV is production.`);
  const running = readRunningServices();
  if (running) return seed(running);
  await withStartedInstallation(seed);
}

async function seed({ api }: InstallationServices): Promise<void> {
  await assertDevelopmentServer(api);
  const terminal = new Terminal();
  terminal.printHeading(`Seeding ${api}`);
  await createSeedAccounts(OPERATION);
  const jobs = generateJobs(SEED_USERS.reduce((sum, user) => sum + user.jobs, 0));
  let start = 0;
  for (const user of SEED_USERS) {
    const ownJobs = jobs.slice(start, (start += user.jobs));
    await new UserSeeder(await signInSeedUser(api, user), user, ownJobs).run();
    terminal.printSuccess(`${user.firstName}: ${user.jobs} jobs, ${user.proposals} proposals`);
  }
  await new Operator(api, OPERATION).refreshStatistics();
  printSignIns(terminal, api);
}

async function signInSeedUser(
  server: string,
  { email, password }: { email: string; password: string },
): ReturnType<typeof signIn> {
  try {
    return await signIn({ server, email, password });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    throw new OperatorError(`${email} exists with another password. Remove the data with: npm run reset`);
  }
}

/** In production the documentation is closed; the server may have other settings than this command. */
async function assertDevelopmentServer(api: string): Promise<void> {
  const { ok } = await fetch(`${api}/docs-json`, { method: 'HEAD' });
  if (!ok || !isLocalServer(api)) throw new OperatorError(`${REFUSED}: ${api} is another one.`);
}

/** Runs `npm start` in a child process for the time of `work`. */
async function withStartedInstallation(work: (services: InstallationServices) => Promise<void>): Promise<void> {
  const launcher = spawn(process.execPath, [join(findProjectRoot(), 'dist', 'src', 'cli', 'start.js')], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const exited = new Promise<'exited'>((resolve) => launcher.once('exit', () => resolve('exited')));
  try {
    let services = readRunningServices();
    while (!services) {
      if ((await Promise.race([sleep(100), exited])) === 'exited')
        throw new OperatorError('Gigvault did not start, so nothing was seeded.');
      services = readRunningServices();
    }
    await work(services);
  } finally {
    launcher.kill('SIGINT');
    await exited;
  }
}

function printSignIns(terminal: Terminal, api: string): void {
  terminal.printHeading('Sign-ins, for development only');
  terminal.printTable(
    [
      ['role', 'email', 'password'],
      ['admin', SEED_ADMIN.email, SEED_ADMIN.password],
      ...SEED_USERS.map(({ email, password }) => ['user', email, password]),
    ],
    Infinity,
  );
  terminal.printHeading('Where to look');
  terminal.printTable([
    ['API documentation', `${api}/docs`],
    ['Dashboard', `${api}/admin`],
  ]);
}

main().catch((error: unknown) => {
  const isForPeople = error instanceof OperatorError || error instanceof ApiError;
  const text = isForPeople ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`\n${text}\n`);
  process.exitCode = 1;
});
