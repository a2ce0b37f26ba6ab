import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Checkout } from '../support/checkout';

const run = promisify(execFile);

describe('the build', () => {
  let checkout: Checkout;
  let dist: string;

  beforeAll(() => {
    checkout = new Checkout();
    dist = join(checkout.path, 'dist');
    // Stubs without a source.
    for (const name of ['main.js', 'worker.js']) rmSync(join(dist, 'src', name));
  });
  afterAll(() => checkout.remove());

  const listBuilt = (): string[] => readdirSync(dist, { recursive: true, encoding: 'utf8' }).sort();
  const build = (): Promise<unknown> => run(process.execPath, ['src/cli/build.cjs'], { cwd: checkout.path });

  it('can run several times in parallel', async () => {
    const whole = listBuilt();
    for (let round = 0; round < 3; round++) {
      rmSync(dist, { recursive: true });
      await Promise.all([build(), build(), build()]);

      expect(listBuilt()).toEqual(whole);
    }
  });

  it('copies the SQL functions beside the migrations, and again when one changes', async () => {
    const [source, copy] = [checkout.path, dist].map((root) => join(root, 'typeorm-migrations', 'sql', 'audit'));
    const file = join(String(source), 'record.sql');
    const before = readFileSync(file, 'utf8');
    writeFileSync(file, `${before}-- changed\n`);
    await build();
    const changed = readFileSync(join(String(copy), 'record.sql'), 'utf8');
    rmSync(file);
    await build();
    const left = readdirSync(String(copy));
    writeFileSync(file, before);
    await build();

    expect(changed).toBe(`${before}-- changed\n`);
    expect(left).not.toContain('record.sql');
    expect(readdirSync(String(copy)).sort()).toEqual(readdirSync(String(source)).sort());
  });

  it('removes files without a source at a full build', async () => {
    const whole = listBuilt();
    writeFileSync(join(dist, 'src', 'stale.js'), '');
    writeFileSync(join(dist, 'typeorm-migrations', 'stale.sql'), '');
    writeFileSync(join(dist, '.build.json'), 'cut');
    await build();

    expect(listBuilt()).toEqual(whole);
  });
});
