import { FakeS3 } from '../support/fake-s3';
import { freezeDate, type FrozenDate } from '../support/frozen-date';
import { createAccount, signInToDashboard } from '../support/dashboard-client';
import { TcpProxy } from '../support/tcp-proxy';
import { startApp, type TestApp } from '../support/test-app';

const NAME = 'gigvault-20260131T021200Z-1.backup';
const KEY = `gigvault/${NAME}`;

/** Longer than the store's answer is cached. */
const LATER_MS = 31_000;

describe('the status of backups in an S3 store', () => {
  let s3: FakeS3;
  let proxy: TcpProxy;
  let app: TestApp;
  let cookie: string;
  let now = 0;
  let advance: FrozenDate['advance'];

  beforeAll(async () => {
    s3 = await new FakeS3().start();
    const endpoint = s3.settings['BACKUP_S3_ENDPOINT']!;
    proxy = await TcpProxy.start(Number(new URL(endpoint).port));
    app = await startApp({
      settings: { ...s3.settings, BACKUP_S3_ENDPOINT: new URL(proxy.buildUrl(endpoint)).origin },
    });
    cookie = await signInToDashboard(app, await createAccount(app, 'admin'));
  });
  beforeEach(async () => {
    s3.objects.set(KEY, Buffer.from('12345'));
    s3.fault = undefined;
    proxy.unfreeze();
    await app.db.query('superuser', 'DELETE FROM backups');
    await app.db.query(
      'superuser',
      `INSERT INTO backups (status, started_by, store, file_name, size_bytes, sha256, verified_at)
      VALUES ('verified', 'schedule', 's3', $1, 5, repeat('0', 64), now())`,
      [NAME],
    );
    // The date only moves forward, past the answer that the last test left in the cache.
    ({ advance } = freezeDate(Math.max(now, Date.now())));
    advance(LATER_MS);
  });
  afterEach(() => {
    now = Date.now();
    jest.useRealTimers();
    jest.restoreAllMocks();
  });
  afterAll(async () => {
    await app.close();
    await proxy.close();
    await s3.stop();
  });

  async function page(path: string): Promise<string> {
    const answer = await fetch(app.url + path, { headers: { cookie, accept: 'text/html' } });
    expect([path, answer.status]).toEqual([path, 200]);
    return answer.text();
  }

  /** Reads the status on the overview and the state of the file on the page of backups. */
  async function readStatus(): Promise<{ tag?: string; text?: string; count?: string; file?: string }> {
    const [overview, panel] = [await page('/admin'), await page('/admin/backups')];
    const [, tag, text] =
      /<b>Backups<\/b> <span class="tag \w+">(\w+)<\/span><\/span> <span class="muted clip">([^<]*)</.exec(overview) ??
      [];
    const [, count] = /<strong>(\w+)<\/strong> <span class="muted">verified, with a file/.exec(panel) ?? [];
    const [, file] = /verified<\/span>\s+<span class="tag \w+">([^<]*)</.exec(panel) ?? [];
    return { tag, text, count, file };
  }

  it('is OK while the file exists, and fails once it is missing', async () => {
    expect(await readStatus()).toEqual({
      tag: 'OK',
      text: 'the newest verified backup is less than an hour old',
      count: '1',
      file: undefined,
    });

    s3.objects.delete(KEY);
    advance(LATER_MS);

    expect(await readStatus()).toMatchObject({
      tag: 'Failing',
      text: expect.stringContaining(`(${NAME}) is not in the store`),
      count: '0',
      file: 'file missing',
    });
  });

  it('fails when the file has another size', async () => {
    s3.objects.set(KEY, Buffer.from('123'));

    expect(await readStatus()).toMatchObject({
      tag: 'Failing',
      text: expect.stringContaining('has 3 bytes instead of 5'),
    });
  });

  it.each([
    [
      'refuses to answer',
      () => (s3.fault = { methods: ['GET', 'HEAD'], status: 403, code: 'AccessDenied' }),
      /the S3 store answered 403/,
    ],
    [
      'is broken',
      () => (s3.fault = { methods: ['GET', 'HEAD'], status: 500, code: 'InternalError' }),
      /the S3 store answered 500/,
    ],
    ['is unreachable', () => proxy.cut(), /the S3 store does not answer/],
  ])('is unknown while the store %s', async (_how, simulateFault, message) => {
    simulateFault();

    expect(await readStatus()).toMatchObject({
      tag: 'Unknown',
      text: expect.stringMatching(message),
      count: 'unknown',
      file: 'store does not answer',
    });
    expect(await page('/admin')).toMatch(
      /<strong>(Not everything could be checked|Something is failing)<\/strong>[^]*Backups<\/a>/,
    );
  });

  it('is unknown for a backup in another store than the configured one', async () => {
    await app.db.query('superuser', `UPDATE backups SET store = 'folder'`);

    expect(await readStatus()).toMatchObject({
      tag: 'Unknown',
      text: expect.stringContaining('is in another store (folder) than the configured one'),
    });
  });
});
