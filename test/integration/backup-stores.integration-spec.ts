import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BackupError, type BackupStore, buildFileName, FolderStore } from '../../src/backups/storage/backup-store';
import { dumpArchive, restoreArchive } from '../../src/backups/restore/postgres-tools';
import { createBackupStore } from '../../src/backups/storage/s3-store';
import { FakeS3 } from '../support/fake-s3';
import { collectBytes, splitIntoChunks } from '../support/byte-streams';
import { buildTestConfig } from '../support/test-config';
import { waitFor } from '../support/wait-for';

const NAME = buildFileName(12, new Date('2026-01-31T02:12:00.400Z'));

async function* failAfter(bytes: Buffer): AsyncGenerator<Buffer> {
  yield* splitIntoChunks(bytes);
  throw new BackupError('pg_dump ended with SIGKILL');
}

const read = (store: BackupStore, name: string): Promise<Buffer> => collectBytes(store.read(name));

describe('a store of backups', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gigvault-store-'));
  const s3 = new FakeS3();

  beforeAll(() => s3.start());
  afterAll(async () => {
    await s3.stop();
    rmSync(folder, { recursive: true });
  });
  afterEach(() => (s3.fault = undefined));

  const storeWith = (settings: Record<string, string>) => createBackupStore(buildTestConfig(settings).backups);
  const stores: [string, () => BackupStore][] = [
    ['a folder', () => storeWith({ BACKUP_DIR: join(folder, 'new', 'backups') })],
    ['S3', () => storeWith(s3.settings)],
  ];

  // 36 MB are three parts in S3, of which the last is smaller.
  it.each(stores)('reads, lists and removes what was written: %s', async (_kind, create) => {
    const store = create();
    const bytes = randomBytes(36 * 1_024 * 1_024);
    const newer = buildFileName(13, new Date('2026-02-01T02:12:00Z'));

    expect(await store.list()).toEqual([]);
    await store.write(NAME, splitIntoChunks(bytes));
    await store.write(newer, splitIntoChunks(bytes.subarray(0, 100)));

    expect((await read(store, NAME)).equals(bytes)).toBe(true);
    expect(await store.list()).toEqual([newer, NAME]);
    await store.remove(NAME);
    await store.remove(NAME);
    await expect(read(store, NAME)).rejects.toThrow(BackupError);
    expect(await store.list()).toEqual([newer]);
    await store.remove(newer);
  });

  it.each(stores)('keeps nothing of an interrupted write: %s', async (_kind, create) => {
    const store = create();

    await expect(store.write(NAME, failAfter(randomBytes(20 * 1_024 * 1_024)))).rejects.toThrow(
      'pg_dump ended with SIGKILL',
    );
    await expect(
      store.write(NAME, splitIntoChunks(Buffer.alloc(10)), AbortSignal.abort(new Error('stopped'))),
    ).rejects.toThrow();

    expect(await store.list()).toEqual([]);
    expect([s3.objects.size, s3.uploads.size]).toEqual([0, 0]);
    expect(existsSync(join(folder, 'new', 'backups')) ? readdirSync(join(folder, 'new', 'backups')) : []).toEqual([]);
  });

  it('in a folder is accessible to its owner only, and reports a full disk', async () => {
    const path = join(folder, 'small');
    const store = new FolderStore(path);
    await store.write(NAME, splitIntoChunks(Buffer.alloc(10)));
    expect([statSync(path).mode & 0o777, statSync(join(path, NAME)).mode & 0o777]).toEqual([0o700, 0o600]);
    await store.remove(NAME);
    symlinkSync('/dev/full', join(path, `${NAME}.part`));

    await expect(store.write(NAME, splitIntoChunks(randomBytes(3_000_000)))).rejects.toThrow(
      /^BACKUP_DIR is not usable: .*the disk is full\.$/,
    );

    expect(readdirSync(path)).toEqual([]);
  });

  it('in S3 rejects a wrong key, and reports the answer of the store', async () => {
    const withWrongKey = storeWith({ ...s3.settings, BACKUP_S3_SECRET_KEY: 'another' });
    await expect(withWrongKey.write(NAME, splitIntoChunks(Buffer.alloc(10)))).rejects.toThrow(
      'the S3 store answered 403 SignatureDoesNotMatch',
    );
    s3.fault = { methods: ['PUT'], status: 507, code: 'InsufficientCapacity' };
    const store = storeWith(s3.settings);

    await expect(store.write(NAME, splitIntoChunks(randomBytes(20 * 1_024 * 1_024)))).rejects.toThrow(
      'the S3 store answered 507 InsufficientCapacity',
    );

    expect([s3.objects.size, s3.uploads.size]).toEqual([0, 0]);
    await expect(storeWith({ ...s3.settings, BACKUP_S3_ENDPOINT: 'http://127.0.0.1:1' }).list()).rejects.toThrow(
      'the S3 store does not answer',
    );
  });
});

describe('a store with unexpected answers', () => {
  const s3 = new FakeS3();
  beforeAll(() => s3.start());
  afterAll(() => s3.stop());

  it.each([
    '<html><body>Sign in</body></html>',
    '{}',
    '',
    'x',
    '<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>',
  ])('fails with a clear message for %p', async (body) => {
    const store = createBackupStore(buildTestConfig(s3.settings).backups);
    s3.fault = { methods: ['GET', 'POST'], status: 200, code: '', body };

    const unusable = { name: 'BackupError', message: "the S3 store's answer cannot be read" };
    await expect(store.list()).rejects.toMatchObject(unusable);
    const large = store.write(NAME, splitIntoChunks(Buffer.alloc(20 * 1_024 * 1_024)));
    await expect(large).rejects.toMatchObject(unusable);

    s3.fault = { methods: ['GET', 'POST', 'DELETE'], status: 503, code: '', body };
    for (const work of [() => store.list(), () => store.remove(NAME), () => read(store, NAME)])
      await expect(work()).rejects.toThrow(/^the S3 store answered 503/);
  });
});

describe('the client programs of PostgreSQL', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gigvault-tools-'));
  const tools = { folder, major: 15 };
  const url = 'postgres://who:hush@127.0.0.1:1/gigvault?sslmode=no-verify';
  afterAll(() => rmSync(folder, { recursive: true }));

  function writeProgram(name: string, script: string): void {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
  }

  it.each([
    [
      'fails',
      'echo "server closed the connection" >&2; exit 1',
      'pg_dump ended with code 1: server closed the connection',
    ],
    ['is killed', 'kill -9 $$', 'pg_dump ended with SIGKILL'],
  ])('leave no file of a dump that %s halfway', async (_how, end, message) => {
    writeProgram('pg_dump', `head -c 3000000 /dev/zero; ${end}`);
    const store = new FolderStore(join(folder, 'backups'));

    await expect(store.write(NAME, dumpArchive(tools, { url, snapshot: 'x' }))).rejects.toThrow(message);

    expect(readdirSync(join(folder, 'backups'))).toEqual([]);
  });

  it('get the password in the environment, and end with the run', async () => {
    writeProgram('pg_dump', 'echo "$PGUSER $PGPASSWORD $PGHOST $PGPORT $PGDATABASE $PGSSLMODE / $*"');
    const line = await collectBytes(dumpArchive(tools, { url, snapshot: '0001-1' }));
    expect(line.toString()).toMatch(/^who hush 127.0.0.1 1 gigvault require \/ .*--snapshot=0001-1/);
    expect(line.toString().split(' / ')[1]).not.toContain('hush');

    writeProgram('pg_dump', 'touch "$0.started"; exec sleep 600');
    const stop = new AbortController();
    const stopped = collectBytes(dumpArchive(tools, { url, snapshot: 'x' }, stop.signal));
    await waitFor('pg_dump runs', () => existsSync(join(folder, 'pg_dump.started')));
    stop.abort();
    await expect(stopped).rejects.toThrow('did not run');
  });

  it('read a file to its end, also when pg_restore stops reading', async () => {
    writeProgram('pg_restore', 'head -c 10 >/dev/null');
    let read = 0;
    const countBytes = async function* () {
      for await (const chunk of splitIntoChunks(randomBytes(5_000_000), 100_000)) {
        read += chunk.length;
        yield chunk;
      }
    };

    await restoreArchive(tools, url, countBytes());

    expect(read).toBe(5_000_000);
    await expect(restoreArchive(tools, url, failAfter(randomBytes(2_000_000)))).rejects.toThrow('SIGKILL');
    writeProgram('pg_restore', 'echo "no space left" >&2; exit 1');
    await expect(restoreArchive(tools, url, splitIntoChunks(randomBytes(5_000_000)))).rejects.toThrow(
      'pg_restore ended with code 1: no space left',
    );
  });
});
