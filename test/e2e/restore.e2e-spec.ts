import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ScratchCluster } from '../../src/backups/restore/scratch-cluster';
import { readContextKey } from '../../src/platform/config/load-config';
import { ContextSigner } from '../../src/platform/database/context-signer';
import { withDirectConnection } from '../../src/platform/database/driver/direct-connection';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, createUser, signInFrom } from '../support/accounts';
import { createManualWorker, type ManualWorker } from '../support/test-worker';

const SECRET_KEY = randomBytes(32).toString('base64');

interface CommandResult {
  readonly code: number;
  readonly output: string;
}

describe('npm run restore', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gigvault-restore-'));
  let app: TestApp;
  let worker: ManualWorker;
  let cluster: ScratchCluster;

  beforeAll(async () => {
    app = await startApp({ settings: { BACKUP_DIR: folder } });
    const [server] = await app.db.query<{ major: number }>(
      'superuser',
      `SELECT current_setting('server_version_num')::integer / 10000 AS major`,
    );
    cluster = await ScratchCluster.start(server!.major);
    worker = await createManualWorker(app);
  });
  afterAll(async () => {
    await worker.close();
    await app.close();
    await cluster.close();
    rmSync(folder, { recursive: true });
  });

  /** Runs the command without a terminal. */
  function restore(args: readonly string[], settings: Record<string, string> = {}): Promise<CommandResult> {
    const env = {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      BACKUP_DIR: folder,
      GIGVAULT_DATA_DIR: join(folder, 'data'),
      ENCRYPTION_KEYS: app.settings['ENCRYPTION_KEYS']!,
      SECRET_KEY,
      ...settings,
    };
    return new Promise((resolveResult) => {
      const command = ['-r', 'ts-node/register/transpile-only', 'src/cli/restore.ts', ...args];
      execFile(process.execPath, command, { cwd: resolve(__dirname, '..', '..'), env }, (error, stdout, stderr) =>
        resolveResult({ code: Number(error?.code ?? 0), output: stdout + stderr }),
      );
    });
  }

  /** Returns the changes that replace a setting by the path of a file with its value, as compose does. */
  function moveToFile(name: string, value: string): Record<string, string> {
    const file = join(folder, name);
    writeFileSync(file, value);
    return { [name]: '', [`${name}_FILE`]: file };
  }

  const listDatabases = (url: string) =>
    withDirectConnection(url, (connection) =>
      connection.query<{ name: string }>(
        `SELECT datname AS name FROM pg_database WHERE datname LIKE 'gigvault%' ORDER BY 1`,
      ),
    );
  const query = <Row extends object>(url: string, sql: string) =>
    withDirectConnection(url, (connection) => connection.query<Row>(sql));

  /** Lists the jobs that a server with the same secret reads for a tenant. */
  const listTitles = (url: string, tenant: number) =>
    withDirectConnection(url, async (connection) => {
      const signer = new ContextSigner(readContextKey({ SECRET_KEY })!, 'gigvault_app');
      await connection.query('BEGIN');
      await connection.query(`SET LOCAL SESSION AUTHORIZATION gigvault_app`);
      await connection.query(`SELECT set_config('app.context', $1, true)`, [signer.sign([String(tenant)])]);
      return connection.query<{ title: string }>('SELECT title FROM jobs');
    });

  it('replaces a database with a backup, keeps the old one, and erases users again who were erased since', async () => {
    const ann = await createSignedInCaller(app);
    await ann.post('/v1/jobs', { title: 'A job that stays' });
    const ben = await createUser(app);
    await (await signInFrom(app, ben)).post('/v1/jobs', { title: 'A job of the erased user' });
    await worker.runTask('backup');
    const leaving = await signInFrom(app, ben);
    await leaving.post('/v1/auth/step-up', { password: ben.password });
    expect((await leaving.post('/v1/users/me/erase')).status).toBe(200);
    await app.db.query('superuser', `UPDATE backups SET created_at = created_at - interval '2 days'`);
    await worker.runTask('backup');
    const [first, second] = await app.db.query<{ id: number; file_name: string }>(
      'superuser',
      'SELECT id, file_name FROM backups ORDER BY id',
    );

    const listed = await restore([]);
    expect(listed.output).toMatch(new RegExp(`${second!.id}  [^]*${second!.file_name}[^]*${first!.file_name}`));

    await cluster.withDatabase(async (url) => {
      const target = Object.assign(new URL(url), { pathname: '/gigvault' }).href;
      const unconfirmed = await restore([String(first!.id), '--to', target]);
      expect(unconfirmed).toMatchObject({
        code: 1,
        output: expect.stringContaining('There is no terminal to ask for confirmation: add --yes.'),
      });
      const withOtherKey = await restore([String(first!.id), '--to', target, '--yes'], {
        ENCRYPTION_KEYS: `test:${randomBytes(32).toString('base64')}`,
      });
      expect(withOtherKey).toMatchObject({
        code: 1,
        output: expect.stringContaining('Nothing was changed: the file cannot be decrypted'),
      });
      const withoutSecret = await restore([String(first!.id), '--to', target, '--yes'], { SECRET_KEY: '' });
      expect(withoutSecret).toMatchObject({
        code: 1,
        output: expect.stringContaining('Nothing was changed: A backup contains no key that signs contexts'),
      });
      expect(await listDatabases(url)).toEqual([]);

      const restored = await restore([String(first!.id), '--yes'], {
        ...moveToFile('SECRET_KEY', SECRET_KEY),
        ...moveToFile('ENCRYPTION_KEYS', app.settings['ENCRYPTION_KEYS']!),
        ...moveToFile('DATABASE_SUPERUSER_URL', target),
      });
      expect(restored).toMatchObject({ code: 0, output: expect.stringContaining('found equal') });
      expect(restored.output).toContain('Erased again, at their request after the backup: 1 users.');
      expect(await query(target, 'SELECT title FROM jobs')).toEqual([{ title: 'A job that stays' }]);
      expect(await listTitles(target, ann.id)).toEqual([{ title: 'A job that stays' }]);
      expect(await query(target, `SELECT count(*) AS left FROM users WHERE id = ${ben.id}`)).toEqual([{ left: 0 }]);
      expect(await query(target, 'SELECT id, status, file_name FROM backups')).toEqual([
        { id: first!.id, status: 'verified', file_name: first!.file_name },
      ]);
      expect(await query(target, `SELECT task, outcome, lease_until FROM task_runs WHERE task = 'backup'`)).toEqual([
        { task: 'backup', outcome: 'succeeded', lease_until: null },
      ]);
      const [{ id: next }] = (await query<{ id: number }>(
        target,
        `INSERT INTO backups (started_by) VALUES ('boot') RETURNING id`,
      )) as [{ id: number }];
      expect(next).toBe(second!.id + 1);

      const refused = await restore(['latest', '--to', target, '--yes']);
      expect(refused).toMatchObject({
        code: 1,
        output: expect.stringMatching(/the database gigvault contains \d+ tables: use --force to rename it/),
      });
      const forced = await restore([join(folder, second!.file_name), '--to', target, '--yes', '--force']);
      expect(forced).toMatchObject({
        code: 0,
        output: expect.stringMatching(/The old database is now gigvault_before_\d{14}/),
      });
      expect((await listDatabases(url)).map(({ name }) => name)).toEqual([
        'gigvault',
        expect.stringMatching(/^gigvault_before_\d{14}$/),
      ]);
      expect(await query(target, 'SELECT title FROM jobs')).toEqual([{ title: 'A job that stays' }]);
    });
  });
});
