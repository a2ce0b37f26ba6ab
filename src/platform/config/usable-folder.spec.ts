import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { whyNotUsable } from './usable-folder';

describe(whyNotUsable.name, () => {
  const home = mkdtempSync(join(tmpdir(), 'gigvault-folder-'));
  afterAll(() => rmSync(home, { recursive: true }));

  it('creates a missing folder with its parents, closed to others, and leaves it empty', async () => {
    const folder = join(home, 'a', 'b');

    expect(await whyNotUsable(folder)).toBeUndefined();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('does not change an existing folder', async () => {
    chmodSync(home, 0o755);

    expect(await whyNotUsable(home)).toBeUndefined();
    expect(statSync(home).mode & 0o777).toBe(0o755);
  });

  it.each([[['file']], [['file', 'below']], [['file', 'below', 'deeper']]])(
    'names the file in the path of %j',
    async (parts) => {
      writeFileSync(join(home, 'file'), '');

      expect(await whyNotUsable(join(home, ...parts))).toBe(`${join(home, 'file')} is a file, not a folder`);
    },
  );

  it.each(['/proc/nope', '/proc/nope/deeper', '/proc/self/nope'])(
    'ends at %s, where no folder can be made',
    async (folder) => {
      expect(await whyNotUsable(folder)).toBe(`${folder}: no folder can be made there`);
    },
  );
});
