import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InstallationServices } from '../../src/local-services/server-environment';
import { Checkout, type LauncherRun, listStillRunning } from '../support/checkout';
import { waitFor } from '../support/wait-for';

/** An API that responds with a text. */
const buildApi = (text: string): string => `
require('node:http')
  .createServer((request, response) => response.end(${text}))
  .listen(process.env.PORT, '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
`;
const WORKER = `setInterval(() => undefined, 1000); process.on('SIGTERM', () => process.exit(0));`;

const LATER_MIGRATION = `export class Later1999999999999 {
  async up(): Promise<void> {}
  async down(): Promise<void> {}
}
`;

describe('npm run dev', () => {
  let checkout: Checkout;
  let run: LauncherRun;

  beforeAll(async () => {
    checkout = new Checkout();
    removeDependencies();
    write('worker.ts', WORKER);
    write('main.ts', buildApi(`'initial'`));
    run = startDev({}, '--no-fakes', '--inspect');
    await run.waitUntilReady();
  });
  afterAll(() => checkout.remove());

  /** Removes the packages that a process on standby would load: the stubs need none. */
  function removeDependencies(): void {
    const file = join(checkout.path, 'package.json');
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), dependencies: {} }));
  }

  /** Runs the command of package.json with more options. */
  function startDev(env: NodeJS.ProcessEnv, ...options: readonly string[]): LauncherRun {
    const { scripts } = JSON.parse(readFileSync(join(checkout.path, 'package.json'), 'utf8')) as {
      scripts: { dev: string };
    };
    return checkout.start(env, ...scripts.dev.split(' ').slice(4), ...options);
  }

  function readServices(folder = '.gigvault'): InstallationServices {
    return JSON.parse(readFileSync(join(checkout.path, folder, 'services.json'), 'utf8')) as InstallationServices;
  }

  function write(file: string, text: string): void {
    writeFileSync(join(checkout.path, 'src', file), text);
  }

  /** Replaces a file as some editors do: the file has another inode afterwards. */
  function replace(file: string, text: string): void {
    write(`${file}~`, text);
    renameSync(join(checkout.path, 'src', `${file}~`), join(checkout.path, 'src', file));
  }

  async function read(): Promise<string | undefined> {
    return fetch(readServices().api).then(
      (response) => response.text(),
      () => undefined,
    );
  }

  const waitForAnswer = (text: string): Promise<unknown> =>
    waitFor(`the API answers ${text}`, async () => (await read()) === text);

  async function apply(text: string): Promise<void> {
    write('main.ts', buildApi(`'${text}'`));
    await waitForAnswer(text);
  }

  it('restarts API and worker after a change, and leaves PostgreSQL and Redis alone', async () => {
    run.output = '';
    const { api, worker, ...others } = readServices().pids;
    await apply('restarted');
    const { pids } = await run.waitForServices((now) => now.pids['api'] !== api && now.pids['worker'] !== worker);

    expect(pids).toEqual({ ...others, api: expect.any(Number), worker: expect.any(Number) });
    expect(run.output).toContain('Changed: src/main.ts. Restarting API and worker …');
  });

  it('notices a file that an editor replaces again and again, and a new folder', async () => {
    for (const text of ['replaced', 'replaced again', 'replaced once more']) {
      replace('main.ts', buildApi(`'${text}'`));
      await waitForAnswer(text);
    }
    mkdirSync(join(checkout.path, 'src', 'texts'));
    write('texts/text.ts', `export const text = 'new folder';`);
    write('main.ts', buildApi(`require('./texts/text').text`));
    await waitForAnswer('new folder');
    write('texts/text.ts', `export const text = 'changed in it';`);
    await waitForAnswer('changed in it');
  });

  it('prints the error of a failed compilation, keeps the servers, and restarts them after the repair', async () => {
    await apply('before the error');
    run.output = '';
    write('main.ts', 'const = ;');
    await run.waitForOutput('Waiting for the next change');
    const answer = await read();
    await apply('repaired');

    expect(run.output).toContain('The build failed.');
    expect(run.output).toContain('main.ts');
    expect(answer).toBe('before the error');
  });

  it('prints the end of the log of a server that exits, and starts it after the next change', async () => {
    run.output = '';
    write('main.ts', `console.log('its last line'); process.exit(3);`);
    await run.waitForOutput('The API ended (code 3):');
    await apply('started again');

    expect(run.output).toContain('its last line\nWaiting for the next change or `npm run migrate`, or press Enter.');
    expect(run.output).not.toContain('It is started again in');
  });

  it('starts a server that has exited after npm run migrate', async () => {
    await apply('before the migration');
    run.output = '';
    write('../typeorm-migrations/1999999999999-later.ts', LATER_MIGRATION);
    await run.waitForOutput('1999999999999-later.ts. Restarting API and worker …');
    await run.waitForOutput('Ready again');
    write('main.ts', `if (!require('node:fs').existsSync('repaired')) process.exit(4);${buildApi(`'migrated'`)}`);
    await run.waitForOutput('The API ended (code 4):');
    writeFileSync(join(checkout.path, 'repaired'), '');

    const printed = execFileSync(process.execPath, ['src/cli/build.cjs', 'dist/src/cli/migrate.js'], {
      cwd: checkout.path,
      env: { PATH: process.env['PATH'] },
      encoding: 'utf8',
    });

    expect(printed).toMatch(/^Done:\n {2}Later1999999999999\n/);
    await waitForAnswer('migrated');
    expect(existsSync(checkout.createDataFolder('migrated'))).toBe(false);
  });

  it('opens a port for a debugger with --inspect', async () => {
    await apply('inspected');

    const log = readFileSync(checkout.createDataFolder(join('logs', 'api.log')), 'utf8');

    // Another program of the machine may have taken the port; Node reports that it tried.
    expect(log).toMatch(/(?:Debugger listening on ws:\/\/|Starting inspector on )127\.0\.0\.1:9229/);
    expect(Object.keys(readServices().pids).sort()).toEqual(['api', 'launcher', 'postgres', 'redis', 'worker']);
  });

  it('starts both fakes without --no-fakes, and stops everything at Ctrl-C after a restart', async () => {
    checkout.addFiles(join('src', 'upwork', 'schema', 'schema.graphql'));
    await apply('before the fakes');
    checkout.addFiles('tsconfig.json', join('src', 'demo'));
    await run.waitForOutput('Start again to apply it.');
    const withFakes = startDev({ GIGVAULT_DATA_DIR: 'apart' });
    await withFakes.waitForOutput('Ctrl-C stops everything');
    const before = readServices('apart');
    write('main.ts', buildApi(`'with fakes'`));
    await withFakes.waitForOutput('Ready again');
    const after = readServices('apart');
    const code = await withFakes.interrupt();

    expect(before.pids).toHaveProperty('fake-upwork');
    expect(before.pids).toHaveProperty('fake-ai');
    expect(after.pids['fake-ai']).toBe(before.pids['fake-ai']);
    expect(after.pids['api']).not.toBe(before.pids['api']);
    expect(code).toBe(0);
    expect([...listStillRunning(before), ...listStillRunning(after)]).toEqual([]);
  });
});
