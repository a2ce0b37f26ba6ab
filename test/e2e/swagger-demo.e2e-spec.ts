import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startFakeVendors, type FakeVendors } from '../../src/demo/fake-ai/fake-vendors';
import { FakeUpwork } from '../../src/demo/fake-upwork/fake-upwork';
import { createUser, signInFrom, type Credentials } from '../support/accounts';
import { readOperations, type Operation } from '../support/openapi-operations';
import { ServerProcess } from '../support/server-process';
import { SwaggerForm } from '../support/swagger-form';
import { startApp, type TestApp } from '../support/test-app';
import { waitFor } from '../support/wait-for';

/** Lists without rows after the demo, and why. */
const EMPTY: Readonly<Record<string, string>> = {
  'GET /v1/admin/tasks/alerts': 'no task is late and none has failed',
};

/** Reads that no form can complete, and why. */
const NEEDS: Readonly<Record<string, string>> = {
  'GET /v1/admin/audit/verify/{id}': 'a verification that an admin requests',
  'GET /v1/admin/audit/verify/{id}/events': 'a verification that an admin requests',
  'GET /v1/audit/logs/{id}/proof': 'the seal of the next minute',
  'GET /v1/tokens/upwork/callback': 'a state and a code that Upwork adds to the address once',
};

const nameOf = ({ method, path }: Operation): string => `${method} ${path}`;
const isForAdmins = ({ path }: Operation): boolean => /^\/v1\/(admin|dev)\//.test(path);

describe('"Execute" in Swagger UI on the account of `npm run demo`', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gigvault-demo-'));
  let vendors: FakeVendors;
  let upwork: FakeUpwork;
  let app: TestApp;
  let worker: ServerProcess;
  let admin: Credentials;

  beforeAll(async () => {
    [vendors, upwork] = [await startFakeVendors(), await new FakeUpwork().start()];
    const settings = { ...vendors.settings, ...upwork.settings, UPWORK_REQUESTS_PER_SECOND: '100' };
    upwork.limitPerSecond = 1_000;
    app = await startApp({ settings: { ...settings, BACKUP_DIR: join(folder, 'backups') } });
    worker = new ServerProcess('worker', { PATH: process.env['PATH'] ?? '', ...app.settings });
    admin = await createUser(app, { role: 'admin' });
    const hasBackup = async () => (await app.db.query('superuser', 'SELECT FROM backups')).length > 0;
    await waitFor('the backup that a worker takes at its start', hasBackup);
  });
  afterAll(async () => {
    worker.kill('SIGTERM');
    await worker.exited;
    await app.close();
    await vendors.close();
    await upwork.stop();
    rmSync(folder, { recursive: true });
  });

  /** Runs the built demo as its own process; returns the credentials that it prints. */
  async function runDemo(): Promise<Credentials> {
    const { stdout } = await promisify(execFile)(process.execPath, ['dist/src/demo/demo.js', '--server', app.url], {
      env: {
        ...process.env,
        GIGVAULT_DATA_DIR: folder,
        GIGVAULT_ADMIN_EMAIL: admin.email,
        GIGVAULT_ADMIN_PASSWORD: admin.password,
      },
    });
    const account = JSON.parse(readFileSync(join(folder, 'demo.json'), 'utf8')) as Credentials;
    expect(stdout).toContain(account.password);
    expect(stdout).toContain('the test message is delivered, answered 204');
    return account;
  }

  /** Signs in, and re-authenticates as the description of the export asks for. */
  async function openDocs(account: Credentials, operations: readonly Operation[]): Promise<SwaggerForm> {
    const caller = await signInFrom(app, account);
    await caller.post('/v1/auth/step-up', { password: account.password });
    return new SwaggerForm(caller, operations, { createsRows: false });
  }

  /** Executes every GET; returns those without 200, and lists whose rows differ from the table above. */
  async function executeReads(account: Credentials): Promise<string[]> {
    const operations = await readOperations(app.url);
    const [user, operator] = [await openDocs(account, operations), await openDocs(admin, operations)];
    const reads = operations.filter((one) => one.method === 'GET' && NEEDS[nameOf(one)] === undefined);
    expect(reads.length).toBeGreaterThan(45);
    const wrong: string[] = [];
    for (const operation of reads) {
      const { status, body } = await (isForAdmins(operation) ? operator : user).execute(operation);
      if (status !== 200) wrong.push(`${nameOf(operation)} → ${status}`);
      const isEmpty = Array.isArray(body?.items) && body.items.length === 0;
      if (isEmpty !== (EMPTY[nameOf(operation)] !== undefined))
        wrong.push(`${nameOf(operation)} → ${isEmpty ? 'no rows' : 'rows'}`);
    }
    return wrong;
  }

  it('answers every GET with 200, and with rows, after the first run and after the second', async () => {
    expect(await executeReads(await runDemo())).toEqual([]);
    expect(await executeReads(await runDemo())).toEqual([]);
  });
});
