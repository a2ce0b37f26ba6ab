import { execFileSync } from 'node:child_process';
import { relative, resolve } from 'node:path';

const ROOT = resolve(__dirname, '..', '..');

/** Runs a script of Node in the repository, and returns the paths it prints as JSON, sorted. */
function listPaths(...args: string[]): string[] {
  const output = execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  return (JSON.parse(output) as string[]).map((path) => relative(ROOT, resolve(ROOT, path))).sort();
}

function listTests(...words: string[]): string[] {
  return listPaths('test/run.cjs', '--listTests', '--json', ...words);
}

describe('the groups of npm test', () => {
  const grouped = listPaths('-p', "JSON.stringify(require('./test/groups/grouped-tests.cjs').listGroupedTests())");
  const everything = listTests();

  it('contain every test that loads code of the application once, so that npm test runs what single files run', () => {
    const entries = everything.filter((path) => path.startsWith('test/groups/'));
    const alone = everything.filter((path) => !entries.includes(path));

    expect(entries.length).toBeGreaterThan(1);
    expect([...alone, ...grouped].sort()).toEqual(listTests('.'));
  });

  it('contain no test that replaces modules', () => {
    expect(grouped).not.toContain('test/e2e/auth-enumeration.e2e-spec.ts');
    expect(everything).toContain('test/e2e/auth-enumeration.e2e-spec.ts');
  });

  it('are not used for words, which select single files', () => {
    expect(listTests('rls')).toEqual(['attempts', 'locks', 'matrix'].map((name) => `test/rls/${name}.spec.ts`));
  });
});
