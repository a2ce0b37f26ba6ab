import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFakeVendors, type FakeVendors } from '../../src/demo/fake-ai/fake-vendors';
import { FakeUpwork } from '../../src/demo/fake-upwork/fake-upwork';
import { startApp, type TestApp } from '../support/test-app';
import { createAnonymousCaller, createUser, signInFrom } from '../support/accounts';
import { listEmails, findToken } from '../support/emails';
import { readOperations, type Operation } from '../support/openapi-operations';
import { prefillOf, SwaggerForm } from '../support/swagger-form';

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
  'POST /v1/users/me/erase': STEP_UP,
  'GET /v1/users/me/export': STEP_UP,
  'POST /v1/admin/backups': STEP_UP,
  'POST /v1/admin/encryption-keys/rotate': STEP_UP,
};

/** Operations whose example cannot succeed on a new account, and what they need. */
const NEEDS: Readonly<Record<string, string>> = {
  'POST /v1/auth/verify-email': 'the token of a mail',
  'POST /v1/auth/password/reset': 'the token of a mail',
  'POST /v1/auth/login/mfa': 'the mfaToken of a sign-in and a code of an authenticator',
  'POST /v1/auth/refresh': 'the refresh token of a sign-in',
  'POST /v1/auth/mfa/totp/confirm': 'a code of an authenticator',
  'POST /v1/auth/mfa/totp/disable': 'a code of an authenticator',
  'POST /v1/auth/mfa/backup-codes': 'a code of an authenticator',
  'POST /v1/tokens/{id}/refresh': 'a refresh token that Upwork issued',
  'GET /v1/tokens/upwork/callback': 'the state and the code that Upwork adds to the address',
  'POST /v1/webhooks/{id}/deliveries/{deliveryId}/retry': 'a delivery that failed',
  'POST /v1/admin/backups/{id}/verify': 'a backup, and a re-authentication',
  'POST /v1/admin/encryption-keys/{id}/retire': 'a replaced key, and a re-authentication',
  'POST /v1/admin/tasks/runs/{runId}/retry': 'a run that failed',
  'POST /v1/admin/users/{id}/reset-mfa': 'a user with two-factor sign-in',
};

/** Lists without rows on these accounts. */
const EMPTY: Readonly<Record<string, string>> = {
  'GET /v1/admin/tasks/alerts': 'no task is late and none has failed',
};

const nameOf = ({ method, path }: Operation): string => `${method} ${path}`;
const isForAdmins = ({ path }: Operation): boolean => /^\/v1\/(admin|dev)\//.test(path);

describe('"Execute" in Swagger UI with the filled-in form', () => {
  const backups = mkdtempSync(join(tmpdir(), 'gigvault-backups-'));
  let vendors: FakeVendors;
  let upwork: FakeUpwork;
  let app: TestApp;
  let operations: Operation[];

  beforeAll(async () => {
    [vendors, upwork] = [await startFakeVendors(), await new FakeUpwork().start()];
    app = await startApp({ settings: { ...vendors.settings, ...upwork.settings, BACKUP_DIR: backups } });
    operations = await readOperations(app.url);
    await signUpByTheExample();
  });
  afterAll(async () => {
    await app.close();
    await vendors.close();
    await upwork.stop();
    rmSync(backups, { recursive: true });
  });

  /** Creates the account of the sign-in example: registers it by the example and opens the link in the e-mail. */
  async function signUpByTheExample(): Promise<void> {
    const admin = await signInFrom(app, await createUser(app, { role: 'admin' }));
    await new SwaggerForm(createAnonymousCaller(app), operations).executeNamed('POST /v1/auth/register');
    const [mail] = await listEmails(admin, 'ann@example.com');
    await createAnonymousCaller(app).post('/v1/auth/verify-email', { token: findToken(mail) });
  }

  /** Creates an account for Swagger UI. An admin is not the newest user, so that they do not change themselves. */
  async function aForm(operation: Operation): Promise<SwaggerForm> {
    const person = await createUser(app, { role: isForAdmins(operation) ? 'admin' : 'user' });
    if (isForAdmins(operation)) await createUser(app);
    return new SwaggerForm(await signInFrom(app, person), operations);
  }

  async function statusOf(form: SwaggerForm, operation: Operation, type?: string): Promise<number> {
    const first = FIRST[nameOf(operation)];
    if (first !== undefined) await form.executeNamed(first);
    return (await form.execute(operation, type)).status;
  }

  it('fills in no optional parameter except the defaults of a page', () => {
    const filled = operations.flatMap(({ parameters }) =>
      parameters.filter((p) => !p.required && prefillOf(p) !== undefined).map(({ name }) => name),
    );

    expect([...new Set(filled)].sort()).toEqual(['limit', 'sort']);
  });

  it('succeeds for every POST, PUT and PATCH on a new account, in each media type, unless it needs more', async () => {
    const changes = operations.filter(({ method }) => ['POST', 'PUT', 'PATCH'].includes(method));
    const rejected = new Set<string>();
    for (const operation of changes) {
      const types = Object.keys(operation.examples);
      for (const type of types.length > 0 ? types : [undefined]) {
        const status = await statusOf(await aForm(operation), operation, type);
        if (status >= 300) rejected.add(nameOf(operation));
      }
    }

    expect(changes.length).toBeGreaterThan(50);
    expect([...rejected].sort()).toEqual(
      changes
        .map(nameOf)
        .filter((name) => NEEDS[name] !== undefined)
        .sort(),
    );
  }, 60_000);

  it('has an example for every JSON body', () => {
    const without = operations.filter(({ body, examples }) => body && examples['application/json'] === undefined);

    expect(without.map(nameOf)).toEqual([]);
  });

  it('answers every GET with 200, and with rows if there are any', async () => {
    const [user, admin] = await accountsWithRows();
    const wrong: string[] = [];
    const reads = operations.filter(
      (operation) => operation.method === 'GET' && NEEDS[nameOf(operation)] === undefined,
    );
    for (const operation of reads) {
      const form = isForAdmins(operation) ? admin : user;
      const first = FIRST[nameOf(operation)];
      if (first !== undefined) await form.executeNamed(first);
      const { status, body } = await form.execute(operation);
      if (status !== 200) wrong.push(`${nameOf(operation)} → ${status}`);
      const isEmpty = Array.isArray(body?.items) && body.items.length === 0;
      if (isEmpty !== (EMPTY[nameOf(operation)] !== undefined))
        wrong.push(`${nameOf(operation)} → ${isEmpty ? 'no rows' : 'rows'}`);
    }

    expect(reads.length).toBeGreaterThan(45);
    expect(wrong).toEqual([]);
  }, 60_000);

  /** Creates a user and an admin who executed each POST and PUT that succeeds and destroys nothing. */
  async function accountsWithRows(): Promise<[SwaggerForm, SwaggerForm]> {
    const isOf = (operation: Operation, isAdmin: boolean) => isForAdmins(operation) === isAdmin;
    const makes = ({ method, path }: Operation) =>
      ['POST', 'PUT'].includes(method) && !/^\/v1\/(auth|users)\//.test(path);
    const forms = [false, true].map(async (isAdmin) => {
      const mine = operations.filter(
        (operation) => isOf(operation, isAdmin) && makes(operation) && NEEDS[nameOf(operation)] === undefined,
      );
      const form = await aForm(mine[0]!);
      if (isAdmin) await form.executeNamed(STEP_UP);
      // The steps of a proposal come last: a cover letter is accepted into a draft.
      const steps = mine.filter(({ path }) => path.startsWith('/v1/proposals/{id}/'));
      for (const operation of [...mine.filter((one) => !steps.includes(one)), ...steps]) await form.execute(operation);
      return form;
    });
    return (await Promise.all(forms)) as [SwaggerForm, SwaggerForm];
  }
});
