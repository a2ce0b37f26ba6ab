import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LauncherLock } from '../../src/cli/launcher/launcher-lock';
import { DataFolder } from '../../src/local-services/data-folder';
import { InstallationSecrets } from '../../src/local-services/server-environment';
import { CommandInstallation } from '../support/command-installation';

describe('npm run reset', () => {
  let installation: CommandInstallation;
  let servicesFolder: string;

  /** Creates the files of an installation that does not run. */
  beforeEach(() => {
    installation = new CommandInstallation();
    const folder = new DataFolder(installation.dataFolder);
    const { servicesName } = InstallationSecrets.load(folder.resolve('secrets.json')).values;
    servicesFolder = folder.createServicesFolder(servicesName);
    mkdirSync(join(servicesFolder, 'postgres'), { recursive: true });
    mkdirSync(folder.resolve('backups'));
  });
  afterEach(() => installation.remove());

  const reset = (args: string[] = [], env: NodeJS.ProcessEnv = {}) =>
    installation.run('dist/src/cli/reset.js', args, env);

  it('removes the installation and lists what it removes', async () => {
    const { code, output } = await reset(['--yes']);

    expect(code).toBe(0);
    expect(output).toContain(`\n  ${join(installation.dataFolder, 'backups')}\n`);
    expect(output).toContain(`\n  ${join(installation.dataFolder, 'encryption-keys.json')}\n`);
    expect(output).toMatch(/\nRemoved\.\n$/);
    expect(existsSync(installation.dataFolder)).toBe(false);
    expect(existsSync(join(servicesFolder, 'postgres'))).toBe(false);
    expect((await reset(['--yes'])).output).toContain('contains no installation');
  });

  it('explains itself, and rejects an unknown option without a stack trace', async () => {
    const help = await reset(['--help']);
    const unknown = await reset(['--force']);

    expect([help.code, help.output]).toEqual([0, expect.stringContaining('Usage: npm run reset')]);
    expect([unknown.code, unknown.output]).toEqual([1, expect.stringContaining("Unknown option '--force'")]);
    expect(unknown.output).not.toMatch(/^ +at /m);
    expect(existsSync(join(installation.dataFolder, 'secrets.json'))).toBe(true);
  });

  it('keeps files that an installation does not create, and names them', async () => {
    writeFileSync(join(installation.dataFolder, 'notes.txt'), 'mine');

    const { output } = await reset(['--yes']);

    expect(output).toContain('notes.txt');
    expect(readdirSync(installation.dataFolder)).toEqual(['notes.txt']);
  });

  it('removes nothing without an answer', async () => {
    const { code, output } = await reset();

    expect(code).toBe(1);
    expect(output).toContain(
      'Nothing was removed. There is no terminal to ask for confirmation: run `npm run reset -- --yes`.',
    );
    expect(existsSync(join(installation.dataFolder, 'secrets.json'))).toBe(true);
  });

  it('refuses while the installation runs', async () => {
    const lock = await LauncherLock.acquire(join(installation.dataFolder, 'launcher.json'));

    const { code, output } = await reset(['--yes']);

    expect(code).toBe(1);
    expect(output).toContain(`Nothing was removed. Gigvault already runs here. Stop it first`);
    expect(output).toContain(`kill ${process.pid}`);
    expect(existsSync(join(installation.dataFolder, 'secrets.json'))).toBe(true);
    lock.release();
  });

  it('refuses a database of the operator', async () => {
    const { code, output } = await reset(['--yes'], {
      DATABASE_URL: 'postgres://gigvault_app:x@db.example.org/gigvault',
    });

    expect(code).toBe(1);
    expect(output).toContain('DATABASE_URL is set');
    expect(existsSync(join(installation.dataFolder, 'secrets.json'))).toBe(true);
  });
});
