import { findServiceUser, findSharedAccount } from './file-permissions';

const isRoot = process.getuid?.() === 0;

/** Returns a file like /etc/passwd with these accounts. */
function buildAccounts(...names: string[]): string {
  return names.map((name, index) => `${name}:x:${index + 1}:${index + 1}::/:/usr/sbin/nologin\n`).join('');
}

describe(findServiceUser.name, () => {
  (isRoot ? it : it.skip)('prefers an account of Gigvault to one of the system', () => {
    const accounts = buildAccounts('daemon', 'bin', 'nobody', 'gigvault-worker');

    expect(findServiceUser('worker', accounts)).toEqual({ name: 'gigvault-worker', uid: 4, gid: 4 });
    expect(findServiceUser('api', accounts)?.name).toBe('daemon');
  });
});

describe(findSharedAccount.name, () => {
  it.each([
    ['a Debian without PostgreSQL', ['daemon', 'bin', 'nobody']],
    ['own accounts', ['gigvault-api', 'gigvault-worker', 'nobody']],
  ])('finds nothing with %s', (_, names) => {
    expect(findSharedAccount(buildAccounts(...names))).toBeUndefined();
  });

  (isRoot ? it.each : it.skip.each)([
    ['neither daemon nor bin', ['postgres', 'nobody']],
    ['no bin and no postgres', ['daemon', 'nobody']],
  ])('names the account and the cure with %s', (_, names) => {
    const shared = findSharedAccount(buildAccounts(...names));

    expect(shared?.detail).toContain('the account nobody');
    expect(shared?.cure).toContain('useradd --system --user-group gigvault-api');
  });
});
