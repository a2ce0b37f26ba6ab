import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ASVS, ASVS_REQUIRED } from './asvs';

const ROOT = join(__dirname, '..', '..');

describe('OWASP ASVS 5.0, V6, V7 and V9', () => {
  const tested = Object.entries(ASVS).flatMap(([id, entry]) => ('test' in entry ? [{ id, ...entry }] : []));

  it.each(tested)('$id is covered by "$test" in $file', ({ file, test }) => {
    const source = readFileSync(join(ROOT, file), 'utf8');

    // The formatter may put a long title on a separate line.
    expect(source.replace(/\(\s+/g, '(')).toContain(`('${test}'`);
  });

  it('prints how many checks are covered', () => {
    const total = ASVS_REQUIRED.length;
    const covered = ASVS_REQUIRED.filter((id) => ASVS[id] !== undefined);
    const reasons = Object.entries(ASVS).flatMap(([id, entry]) =>
      'reason' in entry ? [`${id} (${entry.reason})`] : [],
    );

    process.stdout.write(
      `ASVS V6, V7, V9: ${covered.length} of ${total} covered, ${tested.length} by tests, ` +
        `${reasons.length} by a reason: ${reasons.join(', ')}\n`,
    );

    expect(covered).toEqual(ASVS_REQUIRED);
    expect(tested.length / total).toBeGreaterThan(0.75);
  });
});
