import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ASVS, ASVS_OPEN } from './asvs';

const ROOT = join(__dirname, '..', '..');

describe('OWASP ASVS 5.0, V6, V7 and V9', () => {
  const tested = Object.entries(ASVS).flatMap(([id, entry]) => ('test' in entry ? [{ id, ...entry }] : []));

  it.each(tested)('$id is held by "$test" in $file', ({ file, test }) => {
    const source = readFileSync(join(ROOT, file), 'utf8');

    expect(source).toContain(`('${test}'`);
  });

  it('says how many checks are covered', () => {
    const total = Object.keys(ASVS).length + Object.keys(ASVS_OPEN).length;
    const open = Object.entries(ASVS_OPEN).map(([id, what]) => `${id} (${what})`);

    process.stdout.write(
      `ASVS V6, V7, V9: ${Object.keys(ASVS).length} of ${total} covered, ${tested.length} by tests; open: ${open.join(', ') || 'none'}\n`,
    );

    expect(tested.length / total).toBeGreaterThan(0.75);
  });
});
