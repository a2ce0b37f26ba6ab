import { execFile } from 'node:child_process';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
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
    // Stand-ins without a source.
    for (const name of ['main.js', 'worker.js']) rmSync(join(dist, 'src', name));
  });
  afterAll(() => checkout.remove());

  const built = (): string[] => readdirSync(dist, { recursive: true, encoding: 'utf8' }).sort();
  const build = (): Promise<unknown> => run(process.execPath, ['src/launcher/build.cjs'], { cwd: checkout.path });

  it('may be run several times at once', async () => {
    const whole = built();
    for (let round = 0; round < 3; round++) {
      rmSync(dist, { recursive: true });
      await Promise.all([build(), build(), build()]);

      expect(built()).toEqual(whole);
    }
  });

  it('removes what has no source any more when everything is built anew', async () => {
    const whole = built();
    writeFileSync(join(dist, 'src', 'stray.js'), '');
    writeFileSync(join(dist, '.build.json'), 'cut');
    await build();

    expect(built()).toEqual(whole);
  });
});
