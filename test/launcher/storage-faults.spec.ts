import fs from 'node:fs';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LauncherLock } from '../../src/cli/launcher/launcher-lock';
import { DataFolder } from '../../src/local-services/data-folder';
import { EmbeddedPostgres } from '../../src/local-services/embedded-postgres';
import { writePrivateFile } from '../../src/local-services/file-permissions';
import { InstallationSecrets, ServicesFile } from '../../src/local-services/server-environment';
import { explainFileError } from '../../src/local-services/storage-problems';
import { KeyFile, newMasterKey } from '../../src/platform/encryption/key-file';
import { CommandInstallation } from '../support/command-installation';

const NO_SPACE = Object.assign(new Error('ENOSPC: no space left on device, write'), {
  code: 'ENOSPC',
  syscall: 'write',
});

/** Makes the next write create an empty file and fail, as on a full disk. */
function fillDisk(): void {
  jest.spyOn(fs, 'writeFileSync').mockImplementationOnce((path) => {
    fs.closeSync(fs.openSync(path as string, 'w'));
    throw NO_SPACE;
  });
}

describe('a disk or folder that cannot be written', () => {
  const home = mkdtempSync(join(tmpdir(), 'gigvault-storage-'));
  const installation = new CommandInstallation();
  const lockFile = join(home, 'launcher.json');

  afterEach(() => jest.restoreAllMocks());
  afterAll(async () => {
    await installation.remove();
    rmSync(home, { recursive: true });
  });

  it.each(['', '{"laun', 'null', '[1]', '{"launcher":{}}'])(
    'leaves a lock file %j, which the next launcher replaces',
    async (text) => {
      writeFileSync(lockFile, text);

      const lock = await LauncherLock.acquire(lockFile);

      expect(JSON.parse(readFileSync(lockFile, 'utf8'))).toMatchObject({ launcher: { pid: process.pid } });
      lock.release();
    },
  );

  it('leaves no part of a lock, a private file or a key file', async () => {
    const folder = mkdtempSync(join(home, 'full-'));
    fillDisk();
    await expect(LauncherLock.acquire(join(folder, 'launcher.json'))).rejects.toThrow('ENOSPC');
    fillDisk();
    expect(() => writePrivateFile(join(folder, 'secrets.json'), '{}')).toThrow('ENOSPC');
    jest.spyOn(fs, 'fsyncSync').mockImplementationOnce(() => {
      throw NO_SPACE;
    });
    const ring = { current: 'k1', keys: new Map([['k1', newMasterKey()]]) };
    expect(() => new KeyFile(join(folder, 'encryption-keys.json')).create(ring)).toThrow('ENOSPC');

    expect(readdirSync(folder)).toEqual([]);
  });

  it('still refuses the lock of a launcher that runs', async () => {
    const lock = await LauncherLock.acquire(lockFile);

    await expect(LauncherLock.acquire(lockFile)).rejects.toThrow(`Ctrl-C where it runs, or kill ${process.pid}`);
    lock.release();
    expect(existsSync(lockFile)).toBe(false);
  });

  it('leaves a torn services.json, which counts as none', () => {
    const file = join(home, 'services.json');
    writeFileSync(file, '');

    expect(new ServicesFile(file).read()).toBeUndefined();
  });

  it.each([
    ['ENOSPC', 'is full', 'du -xah'],
    ['EROFS', 'is read only', 'mount -o remount,rw'],
    ['EACCES', 'denies access to its owner', 'chmod -R u+rwX'],
  ])('is named by the doctor and by the start: %s', async (code, reason, cure) => {
    const script = join(home, `${code}.cjs`);
    writeFileSync(
      script,
      `const fs = require('fs');
      const folder = process.env.GIGVAULT_DATA_DIR;
      for (const name of ['writeFileSync', ...('${code}' === 'EROFS' ? ['chmodSync'] : [])]) {
        const real = fs[name];
        fs[name] = (path, ...rest) => {
          if (!String(path).startsWith(folder)) return real(path, ...rest);
          throw Object.assign(new Error('planted'), { code: '${code}', path, syscall: 'open' });
        };
      }`,
    );
    const path = join(home, `data-${code}`);
    const folder = new DataFolder(path);
    const { servicesName } = InstallationSecrets.load(folder.resolve('secrets.json')).values;
    const services = folder.createServicesFolder(servicesName);
    mkdirSync(join(services, 'postgres'), { recursive: true });
    writeFileSync(join(services, 'postgres', 'PG_VERSION'), '15\n');
    const faulty = { GIGVAULT_DATA_DIR: path, NODE_OPTIONS: `--require ${script}` };

    const doctor = await installation.run('dist/src/cli/doctor.js', [], faulty);
    // Both explain a fault by the same function, so one fault shows that the start calls it.
    const starts = code === 'ENOSPC' ? [await installation.run('dist/src/cli/start.js', [], faulty)] : [];

    expect(doctor.output).toMatch(
      new RegExp(`^problem +start .*${path}\\b.* ${reason}\\. Cure: .*${cure.replaceAll('+', '\\+')}`, 'm'),
    );
    for (const { output } of starts)
      expect(output).toMatch(new RegExp(`Gigvault did not start\\. .*${path}\\b.* ${reason}\\. Cure: `));
    for (const { output, code: exit } of [doctor, ...starts]) {
      expect(output).not.toMatch(/^ +at /m);
      expect(exit).toBe(1);
    }
    rmSync(services, { recursive: true });
  });

  it('is named when it is that of the embedded PostgreSQL', async () => {
    const folder = join(home, 'cluster');
    const program = join(home, 'postgres');
    mkdirSync(folder);
    writeFileSync(join(folder, 'PG_VERSION'), '15\n');
    writeFileSync(
      program,
      `#!/bin/sh
      [ "$1" = --version ] && { echo 'postgres (PostgreSQL) 15.18'; exit; }
      echo 'FATAL:  could not write lock file "postmaster.pid": No space left on device'
      echo 'LOG:  database system is shut down'
      exit 1`,
    );
    chmodSync(program, 0o755);
    chmodSync(home, 0o755);
    const postgres = new EmbeddedPostgres({
      folder,
      logFile: join(home, 'postgres.log'),
      superuserPassword: 'x',
      programs: { initdb: program, postgres: program },
    });

    await expect(postgres.start()).rejects.toThrow(`The disk of ${folder} is full. Cure: remove files`);
  });

  it('names the owner of a folder of another user', () => {
    jest.spyOn(process, 'getuid').mockReturnValue(4_321);
    const denied = Object.assign(new Error('x'), { code: 'EACCES', path: join(home, 'file'), syscall: 'open' });

    expect(explainFileError(denied, home)).toMatchObject({
      reason: expect.stringContaining(`${home} belongs to user`),
    });
  });

  it.each([
    { code: 'EPERM', syscall: 'kill' },
    { code: 'ENOSPC', syscall: 'watch', path: '/etc' },
    { code: 'EACCES', syscall: 'listen' },
    { code: 'ENOENT', syscall: 'open', path: '/nowhere' },
  ])('is not the cause of %j', (properties) => {
    const error = Object.assign(new Error('x'), properties);

    expect(explainFileError(error, home)).toBe(error);
  });
});
