import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startApp, type TestApp } from '../support/test-app';

const ROOT = resolve(__dirname, '..', '..');
const COPIED = [
  'src',
  'typeorm-migrations',
  'docker',
  'ormconfig.ts',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
];
const RULES = ['nest-cli.json', '.swcrc', 'eslint.config.mjs', 'eslint-rules.mjs'];

interface Run {
  readonly code: number;
  readonly output: string;
}

describe('nest g resource', () => {
  const checkout = mkdtempSync(join(tmpdir(), 'gigvault-generate-'));
  let app: TestApp;
  let generated: Run;

  function run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
    const options = { cwd: checkout, env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env } };
    return new Promise((done) => {
      execFile(process.execPath, [join('node_modules', program), ...args], options, (error, out, err) => {
        done({ code: error ? Number(error.code ?? 1) : 0, output: out + err });
      });
    });
  }

  beforeAll(async () => {
    app = await startApp();
    for (const name of [...COPIED, ...RULES]) cpSync(join(ROOT, name), join(checkout, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(checkout, 'node_modules'));
    generated = await run('@nestjs/cli/bin/nest.js', ['g', 'resource', 'x', '--type', 'rest', '--crud', '--no-spec']);
  });
  afterAll(async () => {
    rmSync(checkout, { recursive: true, force: true });
    await app.close();
  });

  it('warns at once and names the safe command', () => {
    expect(generated.output).toContain('A plain resource is not safe in this repository');
    expect(generated.output).toContain('nest g domain <plural>');
  });

  it('writes the files and registers the module', () => {
    expect(existsSync(join(checkout, 'src/x/x.controller.ts'))).toBe(true);
    expect(readFileSync(join(checkout, 'src/app.module.ts'), 'utf8')).toContain('XModule');
  });

  it('compiles', async () => {
    // Compiles the new files and their imports. The gates compile the rest.
    writeFileSync(
      join(checkout, 'tsconfig.server.json'),
      '{"extends":"./tsconfig.json","include":["src/x","src/**/*.d.ts"]}',
    );
    const { code, output } = await run('typescript/bin/tsc', ['--noEmit', '-p', 'tsconfig.server.json']);

    expect(output).toBe('');
    expect(code).toBe(0);
  });

  it('is reported as not yet safe by lint', async () => {
    const { code, output } = await run('eslint/bin/eslint.js', ['src/x']);

    expect(code).toBe(1);
    expect(output).toContain('Not safe yet: say who may call these routes');
  });

  it('keeps the server from starting with the name of each open route', async () => {
    await run('../src/cli/build.cjs', []);
    const { code, output } = await run('../dist/src/main.js', [], { ...app.settings, LOG_LEVEL: 'fatal' });

    expect(code).toBe(1);
    expect(output).toContain('XController.create (POST /x)');
    expect(output).toContain('XController.remove (DELETE /x/:id)');
  });
});
