import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BackupsModule } from '../../src/backups/backups.module';
import { loadConfig } from '../../src/platform/config/load-config';
import { FakeS3 } from '../support/fake-s3';
import { createAccount, signInToDashboard, postForm } from '../support/dashboard-client';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, createUser, signInFrom } from '../support/accounts';
import { createManualWorker, type ManualWorker } from '../support/test-worker';

interface Row {
  readonly id: number;
  readonly status: string;
  readonly error: string | null;
  readonly file_name: string | null;
}

describe('/v1/admin/backups', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gigvault-backups-'));
  let app: TestApp;
  let worker: ManualWorker;
  let cookie: string;

  beforeAll(async () => {
    app = await startApp({ settings: { BACKUP_DIR: folder } });
    worker = await createManualWorker(app);
    cookie = await signInToDashboard(app, await createAccount(app, 'admin'));
    await (await createSignedInCaller(app)).post('/v1/jobs', { title: 'The canary job 7741' });
  });
  afterAll(async () => {
    await worker.close();
    await app.close();
    rmSync(folder, { recursive: true });
  });

  const rows = () => app.db.query<Row>('superuser', 'SELECT id, status, error, file_name FROM backups ORDER BY id');
  const lastRun = async () =>
    (
      await app.db.query<{ outcome: string; figures: unknown; error: string }>(
        'superuser',
        `SELECT outcome, figures, error FROM task_runs WHERE task = 'backup' ORDER BY id DESC LIMIT 1`,
      )
    )[0];

  async function page(path: string): Promise<string> {
    const answer = await fetch(app.url + path, { headers: { cookie, accept: 'text/html' } });
    expect([path, answer.status]).toEqual([path, 200]);
    return answer.text();
  }

  it('are made on request and verified by a restore: the status is OK, after a changed byte failing', async () => {
    const person = await createUser(app, { role: 'admin' });
    const admin = await signInFrom(app, person);
    expect(await admin.post('/v1/admin/backups', { reason: 'before the upgrade' })).toMatchObject({
      status: 403,
      body: { code: 'auth.step_up_required' },
    });
    expect(await page('/admin')).toContain('no backup is verified yet');
    await admin.post('/v1/auth/step-up', { password: person.password });

    const requested = await admin.post('/v1/admin/backups', { reason: 'before the upgrade' });
    expect(requested).toMatchObject({
      status: 202,
      body: {
        status: 'pending',
        startedBy: 'admin',
        startedById: person.id,
        reason: 'before the upgrade',
        sizeBytes: null,
        verifiedAt: null,
      },
    });
    expect(await page('/admin')).toContain('the first backup is running');
    await worker.runQueued('backup');

    const { body } = await admin.get('/v1/admin/backups');
    const [name] = readdirSync(folder);
    const file = join(folder, name!);
    expect(body).toEqual({
      items: [
        expect.objectContaining({
          id: requested.body.id,
          status: 'verified',
          fileName: name,
          store: 'folder',
          error: null,
          removedAt: null,
        }),
      ],
      nextCursor: null,
    });
    expect(body.items[0]).toMatchObject({
      sizeBytes: readFileSync(file).length,
      figures: { tables: expect.any(Number), rows: expect.any(Number) },
    });
    expect(Date.parse(body.items[0].verifiedAt)).toBeGreaterThan(Date.parse(body.items[0].createdAt));
    expect(await page('/admin')).toContain('the newest verified backup is less than an hour old');
    expect(await page('/admin/backups')).toMatch(/verified[^]*before the upgrade/);
    const events = await app.db.query<{ reason: string }>(
      'superuser',
      `SELECT details->>'reason' AS reason FROM security_logs
       WHERE event_type = 'system.admin' AND user_id = $1 ORDER BY id`,
      [person.id],
    );
    expect(events.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['make a backup: before the upgrade', 'run task backup: before the upgrade']),
    );

    const text = readFileSync(file).toString('latin1');
    for (const secret of ['canary job', 'CREATE TABLE', 'gigvault_app', 'PGDMP', '@example.com'])
      expect(text).not.toContain(secret);
    expect((await admin.get('/v1/admin/encryption-keys')).body.items).toEqual([
      expect.objectContaining({ id: 'test', backups: 1 }),
    ]);

    await worker.runTask('backup');
    expect(await lastRun()).toMatchObject({
      outcome: 'skipped',
      figures: { reason: 'the newest backup is verified and recent' },
    });

    const { id } = requested.body;
    expect(
      await postForm(
        app,
        `/admin/backups/${id}/verify`,
        { reason: 'the disk makes noise', password: 'seven green umbrellas' },
        { cookie },
      ),
    ).toMatchObject({ status: 303 });
    expect(await admin.post(`/v1/admin/backups/${id}/verify`)).toMatchObject({
      status: 409,
      body: { code: 'backup.not_checkable' },
    });
    expect((await admin.post('/v1/admin/backups/999/verify')).status).toBe(404);
    await worker.runQueued('backup');
    expect(await rows()).toEqual([{ id, status: 'verified', error: null, file_name: name }]);

    const bytes = readFileSync(file);
    bytes[bytes.length - 5]! ^= 1;
    writeFileSync(file, bytes);
    expect(await admin.post(`/v1/admin/backups/${id}/verify`, {})).toMatchObject({
      status: 202,
      body: { status: 'pending', verifiedAt: expect.any(String) },
    });
    await expect(worker.runQueued('backup')).rejects.toThrow();
    expect(await rows()).toEqual([
      { id, status: 'failed', error: expect.stringContaining('the file cannot be decrypted'), file_name: name },
    ]);
    expect(await page('/admin')).toMatch(/no backup is verified yet; backup \d+ failed: the file cannot be decrypted/);
    expect((await (await createSignedInCaller(app)).get('/v1/admin/backups')).status).toBe(403);
  });
});

describe('the task backup', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gigvault-backups-'));
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({ settings: { BACKUP_DIR: folder } });
  });
  afterAll(async () => {
    await app.close();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => app.db.query('superuser', 'TRUNCATE backups'));

  const rows = () => app.db.query<Row>('superuser', 'SELECT id, status, error, file_name FROM backups ORDER BY id');

  /** Runs the task and returns the error of its run. */
  async function runAndGetError(settings: Record<string, string> = {}): Promise<string> {
    const worker = await createManualWorker({ ...app, settings: { ...app.settings, ...settings } });
    await worker.runTask('backup').catch(() => undefined);
    await worker.close();
    const [run] = await app.db.query<{ error: string }>(
      'superuser',
      `SELECT error FROM task_runs WHERE task = 'backup' ORDER BY id DESC LIMIT 1`,
    );
    return run!.error;
  }

  it(`refuses the app's login`, async () => {
    expect(await runAndGetError({ DATABASE_BACKUP_URL: app.db.urls.app })).toBe(
      'gigvault_app is bound by row level security, so its dump would be incomplete: ' +
        'set DATABASE_BACKUP_URL to the login gigvault_backup',
    );
    expect(await rows()).toEqual([]);
  });

  it('makes a backup although a large object exists that its login may not read', async () => {
    await app.db.query('superuser', `SELECT lo_from_bytea(4711, 'x')`);

    expect(await runAndGetError()).toBeNull();

    expect(await rows()).toEqual([expect.objectContaining({ status: 'verified' })]);
    await app.db.query('superuser', 'SELECT lo_unlink(4711)');
  });

  it('fails for a folder it cannot write to, and leaves no file', async () => {
    writeFileSync(join(folder, 'a file'), '');

    expect(await runAndGetError({ BACKUP_DIR: join(folder, 'a file') })).toBe(
      `BACKUP_DIR is not usable: ${join(folder, 'a file')} is a file, not a folder.`,
    );

    expect(await rows()).toEqual([expect.objectContaining({ status: 'failed', file_name: null })]);
    rmSync(join(folder, 'a file'));
  });

  it('stops the start of a worker that cannot write backups', async () => {
    const unusable = new BackupsModule(loadConfig({ ...app.settings, BACKUP_DIR: '/proc/nope/backups' }));
    const usable = new BackupsModule(loadConfig({ ...app.settings, BACKUP_DIR: folder }));

    await expect(unusable.onModuleInit()).rejects.toThrow(
      'BACKUP_DIR is not usable: /proc/nope/backups: no folder can be made there.',
    );
    await expect(usable.onModuleInit()).resolves.toBeUndefined();
  });

  it('stores backups in S3 and removes expired ones there', async () => {
    const s3 = await new FakeS3().start();
    s3.objects.set('gigvault/gigvault-20200131T021200Z-1.backup', Buffer.from('expired'));
    const worker = await createManualWorker({ ...app, settings: { ...app.settings, ...s3.settings } });
    await worker.runTask('backup');
    await worker.close();
    await s3.stop();

    const [row] = await rows();
    expect(row).toMatchObject({ status: 'verified' });
    expect([...s3.objects.keys()]).toEqual([`gigvault/${row!.file_name}`]);
    expect(readdirSync(folder).filter((name) => name === row!.file_name)).toEqual([]);
  });

  it('records and shows which admin started it', async () => {
    const admin = await createAccount(app, 'admin');
    const cookie = await signInToDashboard(app, admin);
    expect((await postForm(app, '/admin/tasks/backup/run', { reason: 'before the upgrade' }, { cookie })).status).toBe(
      303,
    );
    const worker = await createManualWorker(app);
    await worker.runQueued('backup');
    await worker.close();

    expect(await app.db.query('superuser', 'SELECT status, started_by, started_by_id FROM backups')).toEqual([
      { status: 'verified', started_by: 'admin', started_by_id: admin.id },
    ]);
    const page = await (await fetch(`${app.url}/admin/backups`, { headers: { cookie } })).text();
    const text = page.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');
    expect(text).toContain(` admin ${admin.id} `);
    expect(page).toContain(`href="/admin/users/${admin.id}"`);
  });

  it('refuses the server with the data as the scratch cluster', async () => {
    expect(await runAndGetError({ BACKUP_SCRATCH_URL: app.db.urls.superuser })).toBe(
      'BACKUP_SCRATCH_URL points to the server with the data: use another server',
    );
  });

  it('closes backups of a killed worker: an incomplete one fails, a complete one is checked', async () => {
    const [incomplete, complete] = [1, 2].map((id) => `gigvault-20260131T021200Z-${id}.backup`);
    await app.db.query(
      'superuser',
      `INSERT INTO backups (status, started_by, store, file_name, size_bytes, sha256, migration)
      VALUES ('running', 'schedule', 'folder', '${incomplete}', NULL, NULL, NULL),
        ('running', 'schedule', 'folder', '${complete}', 10, repeat('0', 64), 'x')`,
    );
    writeFileSync(join(folder, `${incomplete}.part`), 'half');

    expect(await runAndGetError()).toContain('no such file');

    expect(await rows()).toEqual([
      expect.objectContaining({ status: 'failed', error: 'its worker was lost' }),
      expect.objectContaining({ status: 'failed', error: expect.stringContaining('no such file') }),
      expect.objectContaining({ status: 'verified' }),
    ]);
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });
});
