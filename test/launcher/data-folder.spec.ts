import { chmodSync, chownSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataFolder } from '../../src/local-services/data-folder';
import { findServiceUser } from '../../src/local-services/file-permissions';

describe(DataFolder.name, () => {
  const home = mkdtempSync(join(tmpdir(), 'gigvault-data-'));
  const path = join(home, '.gigvault');
  const user = findServiceUser();
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

  it('keeps the data of the services in a folder that only they can find and enter', () => {
    const folder = new DataFolder(path).createServicesFolder('an-unguessable-name');
    if (user) services.push(folder);

    const stat = statSync(folder);
    expect(stat.mode & 0o777).toBe(0o700);
    expect(stat.uid).toBe(user ? user.uid : process.getuid?.());
    // Others can enter the parent folder but not list it.
    expect(statSync(join(folder, '..')).mode & 0o044).toBe(0);
  });

  (user ? it : it.skip)('refuses a folder of another user', () => {
    const theirs = join(home, 'theirs');
    new DataFolder(theirs);
    chownSync(theirs, user?.uid ?? 0, user?.gid ?? 0);

    expect(() => new DataFolder(theirs)).toThrow(`belongs to user ${user?.uid}`);
  });
});
