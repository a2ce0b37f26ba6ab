import { Controller, Get, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { findSchemaProblems } from '../../src/platform/database/schema/schema-problems';
import { assertRoutesAreMarked, SignedIn } from '../../src/platform/http/access/access';
import { createTestDatabase } from '../support/test-database';
import { RepositoryCopy, type Run } from '../support/repository-copy';

/**
 * A hand-written domain with every possible omission: each check of every domain is shown to fail on it.
 */
const MIGRATION = `import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateLeaks implements MigrationInterface {
  readonly name = 'CreateLeaks4102444800000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('CREATE TABLE leaks (id bigint, user_id bigint); GRANT SELECT ON leaks TO gigvault_app');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE leaks');
  }
}
`;

const SERVICE = `import { Injectable } from '@nestjs/common';
import { getDataSourceToken, InjectRepository } from '@nestjs/typeorm';
import { Pool } from 'pg';
import { MaxLength } from 'class-validator';
import { BaseEntity, DataSource, Repository } from 'typeorm';
import { listJobs } from '../jobs/jobs.queries';

/** Bypasses Database in every possible way. */
@Injectable()
export class LeaksService {
  readonly ways = [getDataSourceToken, InjectRepository, Pool, BaseEntity, DataSource, MaxLength, Repository, listJobs];

  /** Returns the rows of that name. */
  find(unit: { query(sql: string): Promise<unknown> }, name: string): Promise<unknown> {
    return unit.query(\`SELECT * FROM leaks WHERE name = '\${name}'\`);
  }

  /** A promise without a handler when the await in between throws, and a list of such promises. */
  async both(unit: { query(sql: string): Promise<unknown> }): Promise<unknown> {
    const lock = unit.query('SELECT 1');
    const all = ['SELECT 2', 'SELECT 3'].map((sql) => unit.query(sql));
    const rows = await unit.query('SELECT 4');
    return [rows, await lock, await Promise.all(all)];
  }

  /** Promises that are awaited together, or handled before. */
  async together(unit: { query(sql: string): Promise<unknown> }): Promise<unknown> {
    const first = unit.query('SELECT 1');
    const second = unit.query('SELECT 2');
    await Promise.all([first, second]);
    const third = unit.query('SELECT 3');
    third.catch(() => undefined);
    await unit.query('SELECT 4');
    return third;
  }

  /** Another way to a connection. */
  pool(): Promise<unknown> {
    return import('pg');
  }
}
`;

const CONTROLLER = `import { Controller, Get } from '@nestjs/common';

/** A controller without an access rule. */
@Controller({ path: 'leaks', version: '1' })
export class LeaksController {
  @Get()
  list(): string[] {
    return [];
  }
}
`;

const PAGE = `/** A page that sends HTML without escaping it, by an attribute and by a property. */
export function LeaksPage({ html }: { html: string }) {
  const props = { dangerouslySetInnerHTML: { __html: html } };
  return (
    <div dangerouslySetInnerHTML={{ __html: html }}>
      <p {...props} />
    </div>
  );
}
`;

const WAITS = `import { setTimeout as delay } from 'node:timers/promises';

export async function waitBlindly(): Promise<void> {
  await delay(100);
  await new Promise((resolve) => setTimeout(resolve, 100));
}
`;

describe('a domain that forgot what can be forgotten is stopped by', () => {
  let copy: RepositoryCopy;
  let lint: Run;

  beforeAll(async () => {
    copy = new RepositoryCopy();
    copy.write('typeorm-migrations/4102444800000-create-leaks.ts', MIGRATION);
    copy.write('src/leaks/leaks.service.ts', SERVICE);
    copy.write('src/leaks/leaks.controller.ts', CONTROLLER);
    copy.write('src/leaks/leaks-page.tsx', PAGE);
    copy.write('test/support/leaks-waits.ts', WAITS);
    // One run for all files, which loads the types of what they import, not of the whole repository.
    const types = { extends: './tsconfig.server.json', include: ['src/leaks', 'test/support/leaks-waits.ts'] };
    copy.write('tsconfig.server.json', copy.read('tsconfig.json'));
    copy.write('tsconfig.json', JSON.stringify(types));
    lint = await copy.run('eslint/bin/eslint.js', ['src/leaks', 'test/support/leaks-waits.ts']);
  });
  afterAll(() => copy.remove());

  it('lint: queries that bypass Database, SQL from strings, routes without access rules, unescaped HTML', () => {
    expect(lint.code).toBe(1);
    const { output } = lint;
    for (const name of ['getDataSourceToken', 'InjectRepository', 'DataSource', 'Repository', 'BaseEntity']) {
      expect(output).toContain(`'${name}' import from`);
    }
    expect(output).toContain('Only src/platform/database opens connections: inject Database');
    expect(output).toContain('Do not build SQL from strings');
    expect(output).toContain("'MaxLength' import from 'class-validator' is restricted");
    expect(output.match(/nobody handles the error of \w+/g)).toEqual([
      'nobody handles the error of lock',
      'nobody handles the error of all',
    ]);
    expect(output).toContain('Not safe yet: say who may call these routes');
    expect(output.match(/Preact escapes every value/g)).toHaveLength(2);
  });

  it('lint: a test that waits for a fixed time', () => {
    expect(lint.code).toBe(1);
    expect(lint.output.match(/fixed time needs a reason/g)).toHaveLength(2);
  });

  it('import rules: a folder without a rule, a new dependency between domains and an import of pg', async () => {
    // The packages of the copy are a link; followed, they would be outside of it.
    const args = ['src/leaks', '--config', '.dependency-cruiser.cjs', '--preserve-symlinks'];
    const cruise = () => copy.run('dependency-cruiser/bin/dependency-cruise.mjs', args);

    const unknown = await cruise();
    const rules = copy.read('.dependency-cruiser.cjs');
    copy.write('.dependency-cruiser.cjs', rules.replace('MAY_USE = {', 'MAY_USE = { leaks: [],'));
    const known = await cruise();

    expect(unknown.code).not.toBe(0);
    expect(unknown.output).toContain('src/leaks: has no import rule');
    expect(known.code).not.toBe(0);
    expect(known.output).toMatch(
      /leaks-imports-only-allowed-domains: .*src\/leaks\/leaks\.service\.ts → .*src\/jobs\/jobs\.queries\.ts/,
    );
    expect(known.output).toMatch(/only-database-imports-pg: .*src\/leaks\/leaks\.service\.ts → .*node_modules\/pg\//);
  });

  it('the tests of the schema: the catalog, the matrix of row security and the list of audited tables', async () => {
    const { code, output } = await copy.run('jest/bin/jest.js', [
      ...[
        '--config',
        'test/jest.config.cjs',
        'test/contract/catalog',
        'test/rls/matrix',
        'test/integration/audit-triggers',
      ],
      ...['-t', 'equals test.contract.catalog.json|knows every table|covers every table that'],
    ]);

    expect(code).toBe(1);
    expect(output).toMatch(/● the schema › equals test\/contract\/catalog[\s\S]*?\+ {5}"public\.leaks": Object/);
    expect(output).toMatch(/● row security › knows every table and view[\s\S]*?\+ {3}"public\.leaks",/);
    expect(output).toMatch(/● the audit triggers › covers every table that[\s\S]*?\+ {3}"public\.leaks",/);
    expect(output).toMatch(/Tests: +3 failed/);
  });

  it('the check before the server starts: its table by name, and what to do', async () => {
    const database = await createTestDatabase();
    await database.query(
      'superuser',
      'CREATE TABLE leaks (id bigint, user_id bigint); GRANT SELECT ON leaks TO gigvault_app',
    );

    const problems = await findSchemaProblems((sql) => database.query('app', sql));
    await database.end();

    expect(problems).toEqual([
      'table public.leaks: row security is off: ALTER TABLE public.leaks ENABLE ROW LEVEL SECURITY',
      'table public.leaks: gigvault_app may SELECT but no policy says which rows: ' +
        'restore the policy or revoke the grant',
    ]);
  });

  it('the check of the routes before the server listens: each by its method and path', async () => {
    @Controller('leaks')
    class LeaksController {
      @Get()
      list(): string[] {
        return [];
      }

      @SignedIn()
      @Get(':id')
      get(): string {
        return '';
      }
    }
    @Module({ controllers: [LeaksController] })
    class LeaksModule {}
    const module = await Test.createTestingModule({ imports: [LeaksModule] }).compile();

    expect(() => assertRoutesAreMarked(module)).toThrow(/lack @SignedIn[\s\S]*LeaksController\.list \(GET \/leaks\)$/);
  });
});
