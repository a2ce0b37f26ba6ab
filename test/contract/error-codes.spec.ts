import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_CODES } from '../../src/platform/errors/error-codes';

/** Codes that no test produces, each with the reason. */
const UNTESTED: ReadonlyMap<string, string> = new Map([
  ['token.refresh_running', 'answered after 10 s of waiting for the refresh of another process'],
]);

/** Tests that list codes without producing them. */
const LISTS = ['error-codes.spec.ts', 'openapi.spec.ts'];

function testsIn(folder: string, isTest: (name: string) => boolean): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && isTest(name) && !LISTS.some((list) => name.endsWith(list)))
    .map((name) => readFileSync(join(folder, name), 'utf8'));
}

describe('the codes of errors', () => {
  const text = [...testsIn('test', () => true), ...testsIn('src', (name) => name.endsWith('.spec.ts'))].join('\n');
  const isNamed = (code: string): boolean => new RegExp(`(['"\`])${code.replace('.', '\\.')}\\1`).test(text);

  it('are each produced by a test', () => {
    expect(Object.keys(ERROR_CODES).filter((code) => !isNamed(code) && !UNTESTED.has(code))).toEqual([]);
  });

  it('name only routes that exist', () => {
    const { paths } = JSON.parse(readFileSync('test/contract/openapi.json', 'utf8')) as { paths: Record<string, object> };
    const named = Object.values(ERROR_CODES).flatMap((code) => JSON.stringify(code).match(/\b(?:GET|POST|PUT|PATCH|DELETE) \/v1\/[\w/{}-]+/g) ?? []);
    const isRoute = (name: string): boolean => {
      const [method = '', path = ''] = name.split(' ');
      return method.toLowerCase() in (paths[path] ?? {});
    };

    expect(named).not.toEqual([]);
    expect(named.filter((name) => !isRoute(name))).toEqual([]);
  });

  it('without a test are codes that have none', () => {
    expect([...UNTESTED.keys()].filter((code) => !(code in ERROR_CODES) || isNamed(code))).toEqual([]);
  });
});
