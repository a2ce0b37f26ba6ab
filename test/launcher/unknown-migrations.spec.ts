import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withClient } from '../../src/local-services/database-setup';
import type { InstallationServices } from '../../src/local-services/server-environment';
import { Checkout } from '../support/checkout';

/** A migration of a generated domain. */
const MOONS = `
export class CreateMoons1999999999999 {
  name = 'CreateMoons1999999999999';
  async up(runner) { await runner.query('CREATE TABLE moons (id integer)'); }
  async down(runner) { await runner.query('DROP TABLE moons'); }
}
`;

describe('npm start on a database with migrations that this version does not have', () => {
  let checkout: Checkout;
  beforeAll(() => (checkout = new Checkout()));
  afterAll(() => checkout.remove());

  it('refuses data that it cannot upgrade, and prints the commands that keep or remove it', async () => {
    const folder = join(checkout.path, "an earlier version's");
    const env = { GIGVAULT_DATA_DIR: folder };
    const first = checkout.start(env);
    await first.waitForOutput('Ctrl-C stops everything');
    const services = JSON.parse(readFileSync(join(folder, 'services.json'), 'utf8')) as InstallationServices;
    await withClient(services.postgres!.superuser, (client) =>
      client.query(`UPDATE schema_migrations SET name = 'CreateFoundation1795305600000' WHERE id = 1`),
    );
    await first.interrupt();

    const second = checkout.start(env);
    const code = await second.exited;
    const [, keep = ''] = /keep the data {3}(mv .*)/.exec(second.output) ?? [];
    execFileSync('sh', ['-c', keep]);
    const third = checkout.start(env);
    await third.waitForOutput('Ctrl-C stops everything');
    await third.interrupt();

    expect(code).toBe(1);
    expect(second.output).toContain('made by an earlier development version of Gigvault, with 1 migration that');
    expect(second.output).not.toMatch(/^ +at /m);
    expect(second.output).toMatch(/remove it {7}rm -rf '.*an earlier version'\\''s'/);
    expect(existsSync(`${folder}-old/secrets.json`)).toBe(true);
  });

  it('refuses data with a migration whose files were removed, and prints ways that work', async () => {
    const file = '1999999999999-create-moons.ts';
    const source = join(checkout.path, 'typeorm-migrations', file);
    const env = { GIGVAULT_DATA_DIR: join(checkout.path, 'discarded') };
    const runScript = (...args: string[]): string =>
      execFileSync(process.execPath, ['src/cli/build.cjs', 'dist/src/cli/migrate.js', ...args], {
        cwd: checkout.path,
        env: { ...process.env, ...env },
        encoding: 'utf8',
      });
    writeFileSync(source, MOONS);
    const first = checkout.start(env);
    await first.waitForOutput('Ctrl-C stops everything');
    await first.interrupt();
    rmSync(source);

    const refused = checkout.start(env);
    await refused.exited;
    writeFileSync(source, MOONS);
    const again = checkout.start(env);
    await again.waitForOutput('Ctrl-C stops everything');
    const reverted = runScript('--revert');
    await again.interrupt();
    rmSync(source);
    const last = checkout.start(env);
    await last.waitForOutput('Ctrl-C stops everything');
    await last.interrupt();

    expect(refused.output).toContain('migrations that this version does not have: CreateMoons1999999999999');
    expect(refused.output).toMatch(/newer release +git pull && npm ci && npm start$/m);
    expect(refused.output).toMatch(/removed files +put them back, npm start, npm run migrate:revert/);
    expect(refused.output).toMatch(/keep the data +mv .*discarded'? .*discarded-old/);
    expect(refused.output).toMatch(/remove it +rm -rf .*discarded/);
    expect(reverted).toContain('The newest migration was reverted.');
  });
});
