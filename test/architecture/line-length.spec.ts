import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findLongLines, listLimitedFiles, MAX_LINE_LENGTH } from '../support/long-lines';

const ROOT = resolve(__dirname, '..', '..');

function buildImport(names: string): string {
  return `import { ${names} } from './${'folder/'.repeat(20)}file';`;
}

describe('the length of lines', () => {
  it.each([
    ['a text', `const a = '${'x'.repeat(MAX_LINE_LENGTH)}';`],
    ['a comment', `// ${'word '.repeat(MAX_LINE_LENGTH / 5)}`],
    ['SQL', `  SELECT ${'id, '.repeat(MAX_LINE_LENGTH / 4)}`],
    ['one character too many', 'x'.repeat(MAX_LINE_LENGTH + 1)],
    ['an import of two names', buildImport('a, b')],
  ])('is found to be too long in %s', (_, line) => {
    expect(findLongLines(`first\n${line}\nlast`)).toEqual([2]);
  });

  it.each([
    ['the limit itself', 'x'.repeat(MAX_LINE_LENGTH)],
    ['characters of several bytes', '📌é–'.repeat(MAX_LINE_LENGTH / 3)],
    ['an import of one name, which Prettier does not break', buildImport('a')],
    ['an import of one type under another name', buildImport('type A as B')],
  ])('is accepted for %s', (_, line) => {
    expect(findLongLines(`first\n${line}\nlast`)).toEqual([]);
  });

  it('is limited in sources, tests, SQL and scripts', () => {
    const files = listLimitedFiles();

    expect(files).toContain('src/main.ts');
    expect(files).toContain('test/jest.config.cjs');
    expect(files.filter((file) => file.endsWith('.sql'))).not.toEqual([]);
  });

  it('is kept in every file', () => {
    const found = listLimitedFiles().flatMap((file) =>
      findLongLines(readFileSync(join(ROOT, file), 'utf8')).map((line) => `${file}:${line}`),
    );

    expect(found).toEqual([]);
  });
});
