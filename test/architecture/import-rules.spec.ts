import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const ROOT = resolve(__dirname, '..', '..');

interface Summary {
  readonly summary: { readonly totalCruised: number; readonly error: number };
}

describe('import rules', () => {
  it('hold for the whole source: a check of no modules would pass too', async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [join('node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs'), 'src', '--output-type', 'json'],
      { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 },
    );
    const { summary } = JSON.parse(stdout) as Summary;

    expect(summary.error).toBe(0);
    expect(summary.totalCruised).toBeGreaterThan(150);
  });
});
