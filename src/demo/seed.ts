import { readVariables } from '../platform/config/load-config';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AccountsService, generateOneTimeToken } from '../auth/accounts/accounts.service';
import { PasswordsService } from '../auth/passwords/passwords.service';
import { findProjectRoot, OperatorError } from '../local-services/data-folder';
import type { InstallationServices } from '../local-services/server-environment';
import { type ApiClient, ApiError, ignoreProblem, isLocalServer } from './api-client';
import { signIn } from './demo-account';
import { Operator, readRunningServices, runLocally } from './operator';
import { findMissingSteps, generateJobs, planProposals, type SeedJob, type SeedProposal } from './seed/seed-jobs';
import { SEED_ADMIN, SEED_TEMPLATES, SEED_USERS, type SeedUser } from './seed/seed-data';
import { Terminal } from './terminal';

interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

interface Row {
  readonly id: number;
}

interface Proposal extends Row {
  readonly jobId: number;
  readonly status: string;
}

interface Message {
  readonly jobId: number | null;
  readonly content: string;
}

interface ImportReport {
  readonly total: number;
  readonly failed: number;
}

/** Creates one user's rows over HTTP, as the user. Everything that exists already stays as it is. */
class UserSeeder {
  constructor(
    private readonly api: ApiClient,
    private readonly user: SeedUser,
    private readonly jobs: readonly SeedJob[],
  ) {}

  /** Creates what is missing. @throws ApiError when the API rejects a row */
  async run(): Promise<void> {
    await this.importJobs();
    await this.storeTexts();
    await this.createSearches(await this.createWebhook());
    const ids = await this.listJobIds();
    const proposals = planProposals(this.user, this.jobs);
    await this.createProposals(proposals, ids);
    await this.createMessages(proposals, ids);
  }

  /** Imports the jobs in one request; known ones are found by their Upwork id. */
  private async importJobs(): Promise<void> {
    const bytes = Buffer.from(JSON.stringify(this.jobs));
    const report = await this.api.upload<ImportReport>('/v1/jobs/import', {
      bytes,
      contentType: 'application/json',
      onProgress: () => undefined,
    });
    if (report.failed > 0) throw new Error(`${report.failed} of ${report.total} jobs were rejected.`);
  }

  private async storeTexts(): Promise<void> {
    const { version } = await this.api.get<{ version: number }>('/v1/profile');
    if (version === 0) await this.api.put('/v1/profile', this.user.profile);
    for (const template of SEED_TEMPLATES)
      await this.api.post('/v1/templates', template).catch(ignoreProblem('template.already_exists'));
  }

  private async createWebhook(): Promise<number | null> {
    const { webhookUrl } = this.user;
    if (webhookUrl === undefined) return null;
    const known = (await this.listAll<Row & { url: string }>('/v1/webhooks')).find(({ url }) => url === webhookUrl);
    return (known ?? (await this.api.post<Row>('/v1/webhooks', { url: webhookUrl }))).id;
  }

  private async createSearches(webhookId: number | null): Promise<void> {
    for (const [index, search] of this.user.searches.entries()) {
      const alert = index === 0 ? { alertHours: 24, webhookId } : {};
      await this.api
        .post('/v1/saved-searches', { ...search, ...alert })
        .catch(ignoreProblem('saved_search.already_exists'));
    }
  }

  /** Returns the ids of the user's jobs by their Upwork id. */
  private async listJobIds(): Promise<ReadonlyMap<string, number>> {
    const jobs = await this.listAll<Row & { upworkJobId: string | null }>('/v1/jobs');
    return new Map(jobs.map(({ id, upworkJobId }) => [upworkJobId ?? '', id]));
  }

  private async createProposals(proposals: readonly SeedProposal[], ids: ReadonlyMap<string, number>): Promise<void> {
    const known = new Map(
      (await this.listAll<Proposal>('/v1/proposals')).map((proposal) => [proposal.jobId, proposal]),
    );
    for (const { job, status, coverLetter, bidAmount } of proposals) {
      const jobId = ids.get(job.upworkJobId);
      // The user has deleted the job.
      if (jobId === undefined) continue;
      const draft = { jobId, coverLetter, bidAmount, bidType: job.jobType };
      const proposal = known.get(jobId) ?? (await this.api.post<Proposal>('/v1/proposals', draft));
      for (const step of findMissingSteps(proposal.status, status))
        await this.api.post(`/v1/proposals/${proposal.id}/${step}`);
    }
  }

  private async createMessages(proposals: readonly SeedProposal[], ids: ReadonlyMap<string, number>): Promise<void> {
    const stored = await this.listAll<Message>('/v1/messages');
    const known = new Set(stored.map(({ jobId, content }) => `${jobId} ${content}`));
    for (const { job, messages, isRead } of proposals) {
      const jobId = ids.get(job.upworkJobId);
      const missing = messages.filter(({ content }) => !known.has(`${jobId} ${content}`));
      if (jobId === undefined || missing.length === 0) continue;
      for (const message of missing) await this.api.post('/v1/messages', { ...message, jobId });
      if (isRead) await this.api.post('/v1/messages/read', { jobId });
    }
  }

  private async listAll<T>(path: string): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | null = null;
    do {
      const page: Page<T> = await this.api.get<Page<T>>(
        `${path}?limit=100${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      items.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null);
    return items;
  }
}

const TOKEN_SECONDS = 60;

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
  if (readVariables(process.env)['NODE_ENV'] === 'production')
    throw new OperatorError(`${REFUSED}: NODE_ENV is production.`);
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

/**
 * Creates the accounts of SEED_USERS and SEED_ADMIN that do not exist, verified and without an email. The functions of
 * schema auth create them, as in a registration, so every account has its audit row.
 */
function createSeedAccounts(operation: string): Promise<void> {
  return runLocally(operation, async (app) => {
    const accounts = app.get(AccountsService);
    const passwords = app.get(PasswordsService);
    const isKnown = async (email: string): Promise<boolean> =>
      (await accounts.findCredentials(email))?.isVerified === true;
    if (!(await isKnown(SEED_ADMIN.email)))
      await accounts.ensureAdmin(SEED_ADMIN.email, await passwords.hash(SEED_ADMIN.password));
    for (const user of SEED_USERS)
      if (!(await isKnown(user.email))) await register(accounts, user, await passwords.hash(user.password));
  });
}

async function register(
  accounts: AccountsService,
  { email, firstName, lastName }: SeedUser,
  encryptedPassword: string,
): Promise<void> {
  const { hash: tokenHash } = generateOneTimeToken();
  await accounts.register({ email, encryptedPassword, firstName, lastName, tokenHash, tokenSeconds: TOKEN_SECONDS });
  await accounts.verifyEmail(tokenHash, encryptedPassword);
}

main().catch((error: unknown) => {
  const isForPeople = error instanceof OperatorError || error instanceof ApiError;
  const text = isForPeople ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`\n${text}\n`);
  process.exitCode = 1;
});
