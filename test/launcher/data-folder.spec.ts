import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataFolder } from '../../src/local-services/data-folder';
import { findServerUsers, findServiceUser } from '../../src/local-services/file-permissions';
import { InstallationSecrets } from '../../src/local-services/server-environment';
import { KeyFile } from '../../src/platform/encryption/key-file';

describe(DataFolder.name, () => {
  const home = mkdtempSync(join(tmpdir(), 'gigvault-data-'));
  const path = join(home, '.gigvault');
  const user = findServiceUser();
  const users = findServerUsers();
  const services: string[] = [];
  afterAll(() => {
    for (const folder of services) rmSync(folder, { recursive: true, force: true });
    rmSync(home, { recursive: true, force: true });
  });

  it('is accessible to its owner only, also when it was open before', () => {
    new DataFolder(path);
    chmodSync(path, 0o755);

    new DataFolder(path);

    expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  it('keeps the data of the services in a folder that others cannot find', () => {
    const folder = new DataFolder(path).createServicesFolder('an-unguessable-name');
    if (user) services.push(folder);

    const stat = statSync(folder);
    // Each account enters it to reach its own folder, and cannot replace the folder of another.
    expect(stat.mode & 0o777).toBe(user ? 0o711 : 0o700);
    expect(stat.uid).toBe(process.getuid?.());
    // Others can enter the parent folder but not list it.
    expect(statSync(join(folder, '..')).mode & 0o044).toBe(0);
  });

  (users ? it : it.skip)('moves keys and backups of an earlier version to the servers, and leaves links', () => {
    const older = new DataFolder(join(home, 'older'));
    const { keyFile } = InstallationSecrets.load(older.resolve('secrets.json'));
    mkdirSync(older.resolve('backups'));
    writeFileSync(older.resolve('backups', 'a backup'), 'x');
    const before = new KeyFile(keyFile).read();

    const folder = older.createServersFolder('an-older-name');
    services.push(join(folder, '..'));
    older.createServersFolder('an-older-name');

    expect(new KeyFile(keyFile).read()).toEqual(before);
    expect(lstatSync(keyFile).isSymbolicLink()).toBe(true);
    expect(readFileSync(older.resolve('backups', 'a backup'), 'utf8')).toBe('x');
    for (const [name, mode] of [
      ['.', 0o770],
      ['encryption-keys.json', 0o640],
      ['backups', 0o750],
    ] as const) {
      const stat = statSync(join(folder, name));
      expect([name, stat.uid, stat.gid, stat.mode & 0o777]).toEqual([name, users!.worker.uid, users!.api.gid, mode]);
    }
    expect(statSync(join(folder, 'backups', 'a backup')).uid).toBe(users!.worker.uid);
  });

  (users ? it : it.skip)('takes over a key file that the operator has put back', () => {
    const restored = new DataFolder(join(home, 'restored'));
    const folder = restored.createServersFolder('a-restored-name');
    services.push(join(folder, '..'));
    const ring = { current: 'copy', keys: new Map([['copy', Buffer.alloc(32, 1)]]) };
    const keyFile = restored.resolve('encryption-keys.json');
    new KeyFile(keyFile).create(ring);

    restored.createServersFolder('a-restored-name');

    expect(new KeyFile(join(folder, 'encryption-keys.json')).read()).toEqual(ring);
    expect(new KeyFile(keyFile).read()).toEqual(ring);
  });

  (users ? it.each(['encryption-keys.json', 'backups']) : it.skip.each(['']))(
    'gives away nothing through a link that a server has put in place of %s',
    (name) => {
      const data = new DataFolder(join(home, `tampered ${name}`));
      InstallationSecrets.load(data.resolve('secrets.json'));
      const folder = data.createServersFolder('a-tampered-name');
      const target = mkdtempSync(join(home, 'of-root-'));
      rmSync(join(folder, name), { recursive: true, force: true });
      symlinkSync(target, join(folder, name));

      expect(() => data.createServersFolder('a-tampered-name')).toThrow('ELOOP');

      expect(statSync(target).uid).toBe(0);
      rmSync(join(folder, '..'), { recursive: true });
    },
  );

  (users ? it : it.skip)('is closed to the servers while it is prepared', () => {
    const data = new DataFolder(join(home, 'closed'));
    InstallationSecrets.load(data.resolve('secrets.json'));
    const folder = data.createServersFolder('a-closed-name');
    services.push(join(folder, '..'));
    symlinkSync(home, join(folder, 'backups', 'a link'));

    // Root refuses a link in it, so the preparation stops halfway.
    expect(() => data.createServersFolder('a-closed-name')).toThrow('ELOOP');

    const { uid, mode } = statSync(folder);
    expect([uid, mode & 0o777]).toEqual([0, 0o700]);
  });

  (users ? it : it.skip)('gives away no file that has a second name elsewhere', () => {
    const data = new DataFolder(join(home, 'linked'));
    InstallationSecrets.load(data.resolve('secrets.json'));
    const folder = data.createServersFolder('a-linked-name');
    services.push(join(folder, '..'));
    const outside = join(folder, '..', 'of-root');
    const inside = join(folder, 'backups', 'a backup');
    writeFileSync(outside, 'x');
    linkSync(outside, inside);

    expect(() => data.createServersFolder('a-linked-name')).toThrow(`${inside} is not given`);
    expect(statSync(outside).uid).toBe(0);

    // A second name of the worker's own file gives nothing away: an operator may copy backups by links.
    chownSync(outside, users!.worker.uid, users!.worker.gid);
    expect(data.createServersFolder('a-linked-name')).toBe(folder);
  });

  (user ? it : it.skip)('refuses a folder of another user', () => {
    const theirs = join(home, 'theirs');
    new DataFolder(theirs);
    chownSync(theirs, user?.uid ?? 0, user?.gid ?? 0);

    expect(() => new DataFolder(theirs)).toThrow(`belongs to user ${user?.uid}`);
  });
});
