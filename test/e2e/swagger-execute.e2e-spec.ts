import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFakeVendors, type FakeVendors } from '../../src/demo/fake-ai/fake-vendors';
import { FakeUpwork } from '../../src/demo/fake-upwork/fake-upwork';
import { createAnonymousCaller, createUser, signInFrom } from '../support/accounts';
import type { Answer, Caller } from '../support/caller';
import { listEmails, findToken } from '../support/emails';
import { createKeyFile } from '../support/encryption';
import { readOperations, type Operation } from '../support/openapi-operations';
import { prefillOf, SwaggerForm } from '../support/swagger-form';
import { PREPARATIONS, type Visit } from '../support/swagger-preparations';
import { startApp, type TestApp } from '../support/test-app';
import { createManualWorker, type ManualWorker } from '../support/test-worker';

const STEP_UP = 'POST /v1/auth/step-up';
const SUBMIT = 'POST /v1/proposals/{id}/submit';
const CONNECT = 'POST /v1/tokens';

/** Operations that must run first by the description of another one. Each is executed with its own example. */
const FIRST: Readonly<Record<string, string>> = {
  'POST /v1/proposals/{id}/accept': SUBMIT,
  'POST /v1/proposals/{id}/reject': SUBMIT,
  'POST /v1/proposals/{id}/withdraw': SUBMIT,
  'POST /v1/proposals/{id}/archive': SUBMIT,
  'POST /v1/jobs/sync': CONNECT,
  'POST /v1/proposals/sync': CONNECT,
  'POST /v1/messages/sync': CONNECT,
  'POST /v1/auth/refresh': 'POST /v1/auth/login',
  'POST /v1/users/me/erase': STEP_UP,
  'GET /v1/users/me/export': STEP_UP,
  'POST /v1/admin/audit/verify': STEP_UP,
  'POST /v1/admin/backups': STEP_UP,
  'PATCH /v1/admin/users/{id}': STEP_UP,
  'DELETE /v1/admin/users/{id}/sessions': STEP_UP,
  'POST /v1/admin/encryption-keys/rotate': STEP_UP,
};

/** A list that may have no rows: of late and failed tasks. On a slow machine a task can be late. */
const MAY_BE_EMPTY = 'GET /v1/admin/tasks/alerts';

/** Operations whose second "Execute" is rejected, with the error code. All others can be repeated. */
const REPEATED: Readonly<Record<string, string>> = {
  'POST /v1/admin/audit/verify': '409 audit.verification_running',
  'POST /v1/audit/requests/{requestId}/undo': '409 audit.undo_refused',
  'POST /v1/admin/backups/{id}/verify': '409 backup.not_checkable',
  'POST /v1/admin/encryption-keys/{id}/retire': '404 encryption_key.not_found',
  'POST /v1/admin/users/{id}/reset-mfa': '409 mfa.not_enabled',
  'POST /v1/auth/login/mfa': '401 auth.token_invalid',
  'POST /v1/auth/logout': '401 auth.token_invalid',
  'POST /v1/auth/mfa/backup-codes': '401 auth.code_invalid',
  'POST /v1/auth/mfa/totp/confirm': '409 mfa.already_enabled',
  'POST /v1/auth/mfa/totp/disable': '409 mfa.not_enabled',
  'POST /v1/auth/password': '401 auth.credentials_invalid',
  'POST /v1/auth/password/reset': '400 auth.link_invalid',
  'POST /v1/auth/verify-email': '400 auth.link_invalid',
  'POST /v1/jobs': '409 job.already_exists',
  'POST /v1/messages/{id}/resend': '409 message.not_sendable',
  'POST /v1/proposals': '409 proposal.already_open',
  'POST /v1/proposals/{id}/accept': '409 proposal.wrong_step',
  'POST /v1/proposals/{id}/archive': '409 proposal.wrong_step',
  'POST /v1/proposals/{id}/reject': '409 proposal.wrong_step',
  'POST /v1/proposals/{id}/submit': '409 proposal.wrong_step',
  'POST /v1/proposals/{id}/withdraw': '409 proposal.wrong_step',
  'POST /v1/saved-searches': '409 saved_search.already_exists',
  'POST /v1/templates': '409 template.already_exists',
  'POST /v1/users/me/erase': '401 auth.token_invalid',
  'POST /v1/webhooks/{id}/deliveries/{deliveryId}/retry': '409 webhook.delivery_not_failed',
};

/** Paths of rows for all users, and their table. A new account starts without these rows. */
const SHARED_TABLES: readonly (readonly [path: string, table: string])[] = [];

const nameOf = ({ method, path }: Operation): string => `${method} ${path}`;
const isForAdmins = ({ path }: Operation): boolean => /^\/v1\/(admin|dev)\//.test(path);

describe('"Execute" in Swagger UI with the filled-in form', () => {
  const backups = mkdtempSync(join(tmpdir(), 'gigvault-backups-'));
  // The document's example destroys k1, as on an installation that has rotated its first key.
  const keyFile = createKeyFile(['k2', 'k1']);
  let vendors: FakeVendors;
  let upwork: FakeUpwork;
  let app: TestApp;
  let worker: ManualWorker;
  let mailbox: Caller;
  let operations: Operation[];

  beforeAll(async () => {
    [vendors, upwork] = [await startFakeVendors(), await new FakeUpwork().start()];
    const settings = { ...vendors.settings, ...upwork.settings, ...keyFile.settings, BACKUP_DIR: backups };
    app = await startApp({ settings });
    worker = await createManualWorker(app);
    mailbox = await signInFrom(app, await createUser(app, { role: 'admin' }));
    operations = await readOperations(app.url);
    await signUpByTheExample();
  });
  afterAll(async () => {
    await worker.close();
    await app.close();
    await vendors.close();
    await upwork.stop();
    keyFile.remove();
    rmSync(backups, { recursive: true });
  });

  /** Creates the account of the sign-in example: registers it by the example and opens the link in the email. */
  async function signUpByTheExample(): Promise<void> {
    await new SwaggerForm(createAnonymousCaller(app), operations).executeNamed('POST /v1/auth/register');
    const [mail] = await listEmails(mailbox, 'ann@example.com');
    const password = 'seven green umbrellas';
    await createAnonymousCaller(app).post('/v1/auth/verify-email', { token: findToken(mail), password });
  }

  /** Opens Swagger UI for a new account. An admin is not the newest user, so that they do not change themselves. */
  async function visit(operation: Operation): Promise<Visit> {
    const account = await createUser(app, { role: isForAdmins(operation) ? 'admin' : 'user' });
    if (isForAdmins(operation)) await createUser(app);
    const caller = await signInFrom(app, account);
    return { app, worker, mailbox, account, caller, form: new SwaggerForm(caller, operations) };
  }

  /** Does what must come first, then executes the operation twice. */
  async function executeTwice(operation: Operation, type?: string): Promise<[Answer, Answer]> {
    for (const [path, table] of SHARED_TABLES)
      if (operation.path.startsWith(path)) await app.db.query('superuser', `DELETE FROM ${table}`);
    const visitor = await visit(operation);
    const first = FIRST[nameOf(operation)];
    if (first !== undefined) await visitor.form.executeNamed(first);
    const typed = await PREPARATIONS[nameOf(operation)]?.prepare(visitor);
    return [await visitor.form.execute(operation, type, typed), await visitor.form.execute(operation, type, typed)];
  }

  const listChanges = () => operations.filter(({ method }) => ['POST', 'PUT', 'PATCH'].includes(method));

  it('fills in no optional parameter except the defaults of pages and exports', () => {
    const filled = operations.flatMap(({ parameters }) =>
      parameters.filter((p) => !p.required && prefillOf(p) !== undefined).map(({ name }) => name),
    );

    expect([...new Set(filled)].sort()).toEqual(['format', 'limit', 'sort']);
  });

  it('succeeds for every POST, PUT and PATCH on a new account, in each media type, once it is prepared', async () => {
    const rejected: string[] = [];
    const repeated: Record<string, string> = {};
    for (const operation of listChanges()) {
      const types = Object.keys(operation.examples);
      for (const type of types.length > 0 ? types : [undefined]) {
        const [answer, again] = await executeTwice(operation, type);
        if (answer.status >= 300) rejected.push(`${nameOf(operation)} → ${answer.status} ${answer.body?.detail}`);
        if (again.status >= 300) repeated[nameOf(operation)] = `${again.status} ${again.body?.code}`;
        if (again.status >= 300 && !again.body?.detail) rejected.push(`${nameOf(operation)} → again, without detail`);
      }
    }

    expect(listChanges().length).toBeGreaterThan(50);
    expect(rejected).toEqual([]);
    expect(repeated).toEqual(REPEATED);
  });

  it('rejects an example that is not prepared, with a problem that says why', async () => {
    const wrong: string[] = [];
    for (const operation of listChanges().filter((one) => PREPARATIONS[nameOf(one)])) {
      const { form } = await visit(operation);
      const { status, body } = await form.execute(operation);
      if (status < 400 || status >= 500 || !body.detail) wrong.push(`${nameOf(operation)} → ${status} ${body?.detail}`);
    }

    expect(wrong).toEqual([]);
  });

  it.each([
    ['POST /v1/templates', 'Choose another name, or change that template.'],
    ['POST /v1/saved-searches', 'Choose another name, or change that search.'],
    ['POST /v1/proposals', 'Continue with that one, or withdraw it first.'],
    ['POST /v1/jobs', 'Change a field, or use that job'],
  ])('says what to do when %s is executed twice', async (name, advice) => {
    const operation = operations.find((one) => nameOf(one) === name)!;

    const [, { status, body }] = await executeTwice(operation);

    expect([status, body.detail]).toEqual([409, expect.stringContaining(advice)]);
  });

  it('names the re-authentication in the description of each operation that needs it', () => {
    const needing = operations.filter((one) => FIRST[nameOf(one)] === STEP_UP);

    expect(needing.length).toBeGreaterThan(3);
    expect(needing.filter(({ description }) => !description?.includes(STEP_UP)).map(nameOf)).toEqual([]);
  });

  it('has an example for every JSON body', () => {
    const without = operations.filter(({ body, examples }) => body && examples['application/json'] === undefined);

    expect(without.map(nameOf)).toEqual([]);
  });

  it('answers every GET with 200, and with rows if there are any', async () => {
    const [user, admin] = await accountsWithRows();
    const wrong: string[] = [];
    const reads = operations.filter(({ method }) => method === 'GET');
    for (const operation of reads) {
      const visitor = isForAdmins(operation) ? admin : user;
      const first = FIRST[nameOf(operation)];
      if (first !== undefined) await visitor.form.executeNamed(first);
      const typed = await PREPARATIONS[nameOf(operation)]?.prepare(visitor);
      const { status, body } = await visitor.form.execute(operation, undefined, typed);
      if (status >= 300) wrong.push(`${nameOf(operation)} → ${status}`);
      const isEmpty = Array.isArray(body?.items) && body.items.length === 0;
      if (isEmpty && nameOf(operation) !== MAY_BE_EMPTY) wrong.push(`${nameOf(operation)} → no rows`);
    }

    expect(reads.length).toBeGreaterThan(45);
    expect(wrong).toEqual([]);
  });

  /** Creates a user and an admin who executed each POST and PUT that needs no preparation and destroys nothing. */
  async function accountsWithRows(): Promise<[Visit, Visit]> {
    const isOf = (operation: Operation, isAdmin: boolean) => isForAdmins(operation) === isAdmin;
    const makes = (operation: Operation) =>
      ['POST', 'PUT'].includes(operation.method) &&
      PREPARATIONS[nameOf(operation)] === undefined &&
      !/^\/v1\/(auth|users)\/|\/retire$/.test(operation.path);
    const visitors = [false, true].map(async (isAdmin) => {
      const mine = operations.filter((operation) => isOf(operation, isAdmin) && makes(operation));
      const visitor = await visit(mine[0]!);
      const { form } = visitor;
      if (isAdmin) await form.executeNamed(STEP_UP);
      // The steps of a proposal come last: a cover letter is accepted into a draft.
      const steps = mine.filter(({ path }) => path.startsWith('/v1/proposals/{id}/'));
      for (const operation of [...mine.filter((one) => !steps.includes(one)), ...steps]) await form.execute(operation);
      return visitor;
    });
    return (await Promise.all(visitors)) as [Visit, Visit];
  }
});
