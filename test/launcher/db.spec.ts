import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Checkout } from '../support/checkout';

const run = promisify(execFile);

describe('npm run db', () => {
  let checkout: Checkout;
  beforeAll(() => (checkout = new Checkout()));
  afterAll(() => checkout.remove());

  const readUrl = async (role: string): Promise<string> => {
    const args = ['src/cli/build.cjs', 'dist/src/cli/db.js', '--role', role];
    const { stdout } = await run(process.execPath, args, { cwd: checkout.path, env: { PATH: process.env['PATH'] } });
    return stdout.trim();
  };

  it('prints the URLs of an external database that .env names, itself or by a file', async () => {
    writeFileSync(join(checkout.path, 'owner-url'), 'postgres://owner@db.example.org/a\n');
    const env = 'DATABASE_URL=postgres://app@db.example.org/a\nDATABASE_MIGRATION_URL_FILE=owner-url\n';
    writeFileSync(join(checkout.path, '.env'), env);

    expect(await readUrl('app')).toBe('postgres://app@db.example.org/a');
    expect(await readUrl('owner')).toBe('postgres://owner@db.example.org/a');
  });

  it('finds the embedded database in the data folder that .env names', async () => {
    const folder = join(checkout.path, 'other');
    writeFileSync(join(checkout.path, '.env'), 'GIGVAULT_DATA_DIR=other\n');
    mkdirSync(folder, { recursive: true });
    const services = { api: '', pids: {}, postgres: { app: 'postgres://app@127.0.0.1:1/gigvault' } };
    writeFileSync(join(folder, 'services.json'), JSON.stringify(services), { mode: 0o600 });

    expect(await readUrl('app')).toBe('postgres://app@127.0.0.1:1/gigvault');
  });
});
