import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createSourceFile,
  forEachChild,
  isCallExpression,
  isStringLiteralLike,
  type Node,
  ScriptTarget,
  type SourceFile,
} from 'typescript';
import { ERROR_CODES } from '../../src/platform/errors/error-codes';

/** Tests that list codes without producing them. */
const LISTS = ['error-codes.spec.ts', 'openapi.spec.ts'];

const CODES: ReadonlySet<string> = new Set(Object.keys(ERROR_CODES));

/** Calls whose arguments a test compares with: a matcher, and the table of a test. */
const COMPARES = /^expect\(.*\)(?:\.\w+)+$|\b(?:it|test|describe)(?:\.\w+)*\.each$/s;

function specFiles(): SourceFile[] {
  return ['src', 'test'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /[.-]spec\.ts$/.test(name) && !LISTS.some((list) => name.endsWith(list)))
      .map((name) => parse(readFileSync(join(folder, name), 'utf8'))),
  );
}

function parse(text: string): SourceFile {
  return createSourceFile('a.spec.ts', text, ScriptTarget.Latest, true);
}

/** Returns the codes that a test compares a response or an error with. Codes that it only mentions do not count. */
function expectedCodes(node: Node, isCompared = false): string[] {
  if (isStringLiteralLike(node)) return isCompared ? codesIn(node.text) : [];
  const found: string[] = [];
  forEachChild(node, (child) => {
    const isArgument = isCallExpression(node) && child !== node.expression && COMPARES.test(node.expression.getText());
    found.push(...expectedCodes(child, isCompared || isArgument));
  });
  return found;
}

/** Returns the code in a text, or in a text of JSON. */
function codesIn(text: string): string[] {
  const code = /"code":"([^"]+)"/.exec(text)?.[1] ?? text;
  return CODES.has(code) ? [code] : [];
}

describe('error codes', () => {
  it('are each expected by a test of a response or an error', () => {
    const expected = new Set(specFiles().flatMap((file) => expectedCodes(file)));

    expect([...CODES].filter((code) => !expected.has(code))).toEqual([]);
  });

  it('name only routes that exist', () => {
    const { paths } = JSON.parse(readFileSync('test/contract/openapi.json', 'utf8')) as {
      paths: Record<string, object>;
    };
    const named = Object.values(ERROR_CODES).flatMap(
      (code) => JSON.stringify(code).match(/\b(?:GET|POST|PUT|PATCH|DELETE) \/v1\/[\w/{}-]+/g) ?? [],
    );
    const isRoute = (name: string): boolean => {
      const [method = '', path = ''] = name.split(' ');
      return method.toLowerCase() in (paths[path] ?? {});
    };

    expect(named).not.toEqual([]);
    expect(named.filter((name) => !isRoute(name))).toEqual([]);
  });

  it('do not count when a test only mentions them', () => {
    const named = `const CODE = 'job.not_found'; expect(codes.includes('audit.not_found')).toBe(true);`;
    const compared =
      `expect(body.code).toBe('user.not_found'); it.each([['sync.not_found']])('x', f); ` +
      `expect(text).toContain('"code":"task.not_found"');`;

    expect(expectedCodes(parse(named))).toEqual([]);
    expect(expectedCodes(parse(compared))).toEqual(['user.not_found', 'sync.not_found', 'task.not_found']);
  });
});
