import { readCatalog, type Catalog } from '../contract/read-catalog';
import { signUp } from '../../src/demo/demo-account';
import { withClient } from '../../src/local-services/database-setup';
import type { InstallationServices } from '../../src/local-services/server-environment';
import { Caller, type Answer } from '../support/caller';
import { RepositoryCopy } from '../support/repository-copy';
import { ADMIN_SETTINGS, StressInstallation } from './installation';

/** The generated kinds, with a file that each must have written: the CLI exits with 0 even when it fails. */
const GENERATED = [
  { args: ['domain', 'invoices'], file: 'src/invoices/invoices.service.ts' },
  { args: ['domain', 'receipts', '--type', 'append'], file: 'src/receipts/receipts.service.ts' },
  { args: ['domain', 'countries', '--type', 'reference'], file: 'src/countries/countries.service.ts' },
  {
    args: [
      ...['domain', 'milestones', '--belongs-to', 'jobs', '--fields'],
      'title:text(80),notes:longtext?,amount:money,dueAt:instant,paidOn:date?,days:integer?,isBillable:boolean,' +
        'status:enum(open|paid),details:json?',
    ],
    file: 'src/milestones/milestones.service.ts',
  },
  { args: ['task', 'send-digests'], file: 'src/tasks/send-digests.task.ts' },
];

/** Names that are refused: existing, not plural, reserved, empty. */
const REFUSED = [
  ['domain', 'invoices'],
  ['domain', 'Invoice'],
  ['domain', 'task'],
  ['domain', '../x'],
  ['domain', 'bills', '--fields', 'id:money,Name:text,status:enum', '--belongs-to', 'users'],
  ['task', 'send-digests'],
  ['task', '../x'],
];

/** The number of migrations of the four domains. */
const MIGRATIONS = 4;

/** The result of the generator scenario. */
export interface GeneratorResult {
  readonly refused: readonly string[];
  readonly tests: string;
  readonly routes: readonly string[];
}

/**
 * Generates one of each in a copy of the repository. Without further changes it passes the gates and all tests there,
 * migrates a running installation, uses the new routes over HTTP, and reverts to the earlier catalog.
 * @throws Error with the output of the first failed step
 */
export async function stressGenerator(): Promise<GeneratorResult> {
  const copy = new RepositoryCopy();
  const installation = new StressInstallation({}, copy.path);
  try {
    const old = await installation.start();
    const before = await readCatalogOf(old);
    await generateAll(copy);
    const refused = await refuseAll(copy);
    await assertPasses(copy, 'contract');
    await assertPasses(copy, 'gates');
    const tests = /^Tests: .*$/m.exec(await assertPasses(copy, 'test'))?.[0] ?? '';
    await assertPasses(copy, 'migrate', { DATABASE_MIGRATION_URL: old.postgres!.owner });
    await installation.stop();
    const services = await installation.start();
    const routes = [
      ...(await callInvoices(services.api)),
      ...(await callReceipts(services.api)),
      ...(await callCountries(services.api)),
      ...(await callMilestones(services.api)),
    ];
    for (let i = 0; i < MIGRATIONS; i++) {
      await assertPasses(copy, 'migrate:revert', { DATABASE_MIGRATION_URL: services.postgres!.owner });
    }
    const after = await readCatalogOf(services);
    if (JSON.stringify(after) !== JSON.stringify(before))
      throw new Error('the reverted catalog differs from the earlier one');
    return { refused, tests, routes };
  } finally {
    await installation.remove();
    copy.remove();
  }
}

async function generateAll(copy: RepositoryCopy): Promise<void> {
  for (const { args, file } of GENERATED) {
    const { output } = await copy.generate(...args);
    if (!copy.files().has(file)) throw new Error(`nest g ${args.join(' ')} did not write ${file}:\n${output}`);
  }
}

/** Returns the message of each refusal. */
async function refuseAll(copy: RepositoryCopy): Promise<string[]> {
  const messages: string[] = [];
  for (const args of REFUSED) {
    const before = copy.files();
    const { output } = await copy.generate(...args);
    const after = copy.files();
    const isSame = after.size === before.size && [...after].every(([file, text]) => before.get(file) === text);
    if (!isSame || !output.includes('Nothing was written'))
      throw new Error(`nest g ${args.join(' ')} was not refused:\n${output}`);
    messages.push(`${args.join(' ')}: ${/No \w+ ".*?Nothing was written\./.exec(output)?.[0]}`);
  }
  return messages;
}

/** Runs a script of the copy, which must succeed, and returns its output. */
async function assertPasses(
  copy: RepositoryCopy,
  script: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { code, output } = await copy.run('npm', ['run', script], env);
  if (code !== 0) throw new Error(`npm run ${script} ended with ${code}:\n${output}`);
  return output;
}

function readCatalogOf({ postgres }: InstallationServices): Promise<Catalog> {
  return withClient(postgres!.superuser, (client) =>
    readCatalog(async (sql) => (await client.query<Record<string, unknown>>(sql)).rows),
  );
}

async function callInvoices(server: string): Promise<string[]> {
  const [ann, bob] = [await createUser(server), await createUser(server)];
  const created = expect('POST', await ann.post('/v1/invoices', { name: 'One' }), 201);
  const path = `/v1/invoices/${created.body.id}`;
  expect('GET', await bob.get(path), 404);
  expect('PATCH', await bob.patch(path, { name: 'x' }), 404);
  expect('DELETE', await bob.delete(path), 404);
  const answers = [
    created,
    expect('GET', await ann.get(path), 200),
    expect('GET', await ann.get('/v1/invoices'), 200),
    expect('PATCH', await ann.patch(path, { name: 'Two' }), 200),
    expect('DELETE', await ann.delete(path), 204),
    expect('GET', await ann.get(path), 404),
  ];
  return [`invoices: ${answers.map(({ status }) => status).join(' ')}; of another tenant 404 404 404`];
}

async function callReceipts(server: string): Promise<string[]> {
  const [ann, bob] = [await createUser(server), await createUser(server)];
  const created = expect('POST', await ann.post('/v1/receipts', { name: 'One' }), 201);
  const path = `/v1/receipts/${created.body.id}`;
  expect('GET', await bob.get(path), 404);
  const answers = [
    created,
    expect('GET', await ann.get(path), 200),
    expect('GET', await ann.get('/v1/receipts'), 200),
    expect('PATCH', await ann.patch(path, { name: 'Two' }), 405),
    expect('DELETE', await ann.delete(path), 405),
  ];
  return [`receipts: ${answers.map(({ status }) => status).join(' ')}; of another tenant 404`];
}

async function callCountries(server: string): Promise<string[]> {
  const [user, admin] = [
    await createUser(server),
    await signIn(server, ADMIN_SETTINGS.GIGVAULT_ADMIN_EMAIL, ADMIN_SETTINGS.GIGVAULT_ADMIN_PASSWORD),
  ];
  expect('POST', await user.post('/v1/admin/countries', { name: 'One' }), 403);
  const created = expect('POST', await admin.post('/v1/admin/countries', { name: 'One' }), 201);
  const { id } = created.body as { id: number };
  const answers = [
    created,
    expect('GET', await user.get(`/v1/countries/${id}`), 200),
    expect('GET', await user.get('/v1/countries'), 200),
    expect('PATCH', await admin.patch(`/v1/admin/countries/${id}`, { name: 'Two' }), 200),
    expect('DELETE', await admin.delete(`/v1/admin/countries/${id}`), 204),
    expect('GET', await user.get(`/v1/countries/${id}`), 404),
  ];
  return [`countries: ${answers.map(({ status }) => status).join(' ')}; written by a user 403`];
}

async function callMilestones(server: string): Promise<string[]> {
  const [ann, bob] = [await createUser(server), await createUser(server)];
  const job = expect('POST', await ann.post('/v1/jobs', { title: 'One' }), 201);
  const { id: jobId } = job.body as { id: number };
  const milestone = {
    jobId,
    title: 'Design',
    amount: '45',
    dueAt: '2026-01-31T09:30:00Z',
    isBillable: true,
    status: 'open',
  };
  expect('POST', await bob.post('/v1/milestones', milestone), 422);
  expect('POST', await ann.post('/v1/milestones', { ...milestone, status: 'lost' }), 400);
  const created = expect('POST', await ann.post('/v1/milestones', milestone), 201);
  const path = `/v1/milestones/${created.body.id}`;
  expect('GET', await bob.get(path), 404);
  const answers = [
    created,
    expect('GET', await ann.get(`/v1/milestones?jobId=${jobId}&status=open&isBillable=true`), 200),
    expect('PATCH', await ann.patch(path, { status: 'paid', details: { method: 'wire' } }), 200),
    expect('PATCH', await ann.patch(path, { jobId }), 400),
    expect('DELETE', await ann.delete(path), 204),
  ];
  return [`milestones: ${answers.map(({ status }) => status).join(' ')}; for the job of another tenant 422`];
}

function expect(what: string, answer: Answer, status: number): Answer {
  if (answer.status !== status)
    throw new Error(`${what} answered ${answer.status}, not ${status}: ${JSON.stringify(answer.body)}`);
  return answer;
}

async function createUser(server: string): Promise<Caller> {
  const { credentials } = await signUp(server);
  return signIn(server, credentials.email, credentials.password);
}

async function signIn(server: string, email: string, password: string): Promise<Caller> {
  const { body } = expect('sign-in', await new Caller(server).post('/v1/auth/login', { email, password }), 200);
  return new Caller(server, (body as { accessToken: string }).accessToken);
}
