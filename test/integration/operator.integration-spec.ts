import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Operator } from '../../src/demo/operator';
import { startApp, type TestApp } from '../support/test-app';

const ADMIN = { GIGVAULT_ADMIN_EMAIL: 'root@example.com', GIGVAULT_ADMIN_PASSWORD: 'a password of the first admin' };

/** `npm run seed` and `npm run demo` act by these functions. */
describe('the operator with settings in files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gigvault-operator-'));
  const own = { ...process.env };
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({ settings: ADMIN });
  });
  beforeEach(() => {
    process.env = { PATH: own['PATH'], GIGVAULT_DATA_DIR: folder };
  });
  afterEach(() => {
    process.env = own;
  });
  afterAll(async () => {
    await app.close();
    rmSync(folder, { recursive: true });
  });

  /** Stores values in files, and returns the settings NAME_FILE with their paths. */
  function writeFiles(settings: Readonly<Record<string, string>>): Record<string, string> {
    return Object.fromEntries(
      Object.entries(settings).map(([name, value]) => {
        const path = join(folder, name);
        writeFileSync(path, `${value}\n`);
        return [`${name}_FILE`, path];
      }),
    );
  }

  const listRequests = () =>
    app.db.query('superuser', `SELECT task FROM task_runs WHERE started_by = 'admin' AND task = 'refresh-job-stats'`);

  it('signs in as the admin', async () => {
    Object.assign(process.env, writeFiles(ADMIN));

    await new Operator(app.url).refreshStatistics();

    expect(await listRequests()).toHaveLength(1);
  });

  it('uses the logins and keys without an admin', async () => {
    const { GIGVAULT_ADMIN_EMAIL, GIGVAULT_ADMIN_PASSWORD, ...settings } = app.settings;
    expect([GIGVAULT_ADMIN_EMAIL, GIGVAULT_ADMIN_PASSWORD]).toEqual(Object.values(ADMIN));
    Object.assign(process.env, writeFiles(settings));

    await new Operator('http://127.0.0.1:1').refreshStatistics();

    expect(await app.db.query('superuser', 'SELECT view_name FROM app.view_refreshes')).toHaveLength(1);
  });

  it('refuses production', async () => {
    const command = ['-r', 'ts-node/register/transpile-only', 'src/demo/seed.ts'];
    const env = { ...process.env, ...writeFiles({ NODE_ENV: 'production' }) };
    const seeding = promisify(execFile)(process.execPath, command, { cwd: resolve(__dirname, '..', '..'), env });

    await expect(seeding).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('fills development installations only: NODE_ENV is production.'),
    });
  });
});
