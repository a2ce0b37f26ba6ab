import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { type Rule, type SchematicContext, Tree } from '@angular-devkit/schematics';
import { SchematicTestRunner } from '@angular-devkit/schematics/testing';
import { plural } from 'pluralize';
import * as ts from 'typescript';
import { findLongLines } from '../support/long-lines';
import { RepositoryCopy } from '../support/repository-copy';

const ROOT = resolve(__dirname, '..', '..');

/** Plain JavaScript, because the Nest CLI runs it. */
const { assertDomainName } = createRequire(__filename)('../../src/schematics/lib/names.cjs') as {
  assertDomainName: (tree: Tree, name: string, type: string) => void;
};

const { formatFiles } = createRequire(__filename)('../../src/schematics/lib/format.cjs') as {
  formatFiles: (workspace: Tree, paths: readonly string[]) => Rule;
};

/** The files that the generator reads and changes. The names below differ from those of real domains. */
const SHARED = [
  '.dependency-cruiser.cjs',
  '.prettierrc.json',
  'src/app.module.ts',
  'src/platform/errors/error-codes.ts',
  'src/users/export-sections.ts',
  'src/scheduled-tasks.ts',
  'src/ai/ai.controller.ts',
  'src/platform/scheduler/purge-expired.task.ts',
  'src/jobs/job.entity.ts',
  'test/rls/matrix.ts',
  'test/architecture/vocabulary.json',
  'test/contract/audited-tables.json',
  'test/e2e/filters.e2e-spec.ts',
  'test/e2e/swagger-execute.e2e-spec.ts',
  'src/platform/http/openapi/docs-prefill.ts',
  'src/platform/http/openapi/document.ts',
  'test/support/factories/job.factory.ts',
];

/** Later than every migration of the next decades. */
const TIMESTAMP = 4_102_444_800_000;

/** A field of each type, as a required and as a nullable one. */
const EVERY_FIELD = [
  ...['a:text(3)', 'b:longtext', 'c:money', 'd:instant', 'e:date', 'f:integer', 'g:boolean', 'h:enum(x|y)', 'i:json'],
  ...['aA:text?', 'bB:longtext?', 'cC:money?', 'dD:instant?', 'eE:date?', 'fF:integer?', 'gG:boolean?'],
  ...['hH:enum(x|y)?', 'iI:json?'],
].join();

interface Options {
  readonly name: string;
  readonly type?: string;
  readonly timestamp?: number;
  readonly fields?: string;
  readonly belongsTo?: string;
}

/** Builds the part of the repository that the generator reads. */
function buildRepository(): Tree {
  const tree = Tree.empty();
  const entries = readdirSync(join(ROOT, 'typeorm-migrations'), { withFileTypes: true });
  const migrations = entries.filter((entry) => entry.isFile()).map(({ name }) => `typeorm-migrations/${name}`);
  for (const file of [...SHARED, ...migrations]) tree.create(file, readFileSync(join(ROOT, file)));
  return tree;
}

/** Reserved words of TypeScript, and words that cannot name a variable in a module. */
const RESERVED = [
  ...Array.from(
    { length: ts.SyntaxKind.LastFutureReservedWord - ts.SyntaxKind.FirstReservedWord + 1 },
    (_, i) => ts.tokenToString(ts.SyntaxKind.FirstReservedWord + i) ?? '',
  ),
  ...['argument', 'await', 'eval', 'undefined'],
];

/** Reserved words of PostgreSQL 15: `pg_get_keywords()`, catcode R and T. Their plurals, such as orders, are free. */
const RESERVED_IN_SQL =
  `all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate
  collation column concurrently constraint create cross default deferrable desc distinct do else end except false
  fetch for foreign freeze from full grant group having ilike in initially inner intersect into is isnull join
  lateral leading left like limit localtime localtimestamp natural not notnull null offset on only or order outer
  overlaps placing primary references returning right select similar some symmetric table tablesample then to
  trailing true union unique user using variadic verbose when where window with`.split(/\s+/);

/** Names that are also imported, but never by a file that declares them. */
const IMPORTED_NAMES = [
  ['posts', 'user'],
  ['gets', 'append'],
  ['text-fields', 'reference'],
  ['keyset-pages', 'user'],
] as const;

function toKebab(name: string): string {
  return name.replaceAll('_', '-');
}

function isAccepted(tree: Tree, name: string, type: string): boolean {
  try {
    assertDomainName(tree, name, type);
    return true;
  } catch {
    return false;
  }
}

function readAll(tree: Tree): Map<string, string> {
  const contents = new Map<string, string>();
  tree.visit((path) => contents.set(path.slice(1), tree.readText(path)));
  return contents;
}

describe('nest g', () => {
  const runner = new SchematicTestRunner('@gigvault/schematics', join(ROOT, 'src/schematics/collection.json'));
  const before = readAll(buildRepository());
  let printed: string[];

  beforeEach(() => {
    // The generator prints the next commands when the process ends.
    printed = [];
    jest.spyOn(process, 'once').mockImplementation((_event, listener: (code: number) => void) => {
      const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
      listener(0);
      write.mockRestore();
      return process;
    });
  });
  afterEach(() => jest.restoreAllMocks());

  const generate = (schematic: 'domain' | 'task', options: Options, tree = buildRepository()): Promise<Tree> =>
    runner.runSchematic(schematic, options, tree);

  const added = (tree: Tree): string[] => [...readAll(tree).keys()].filter((file) => !before.has(file)).sort();

  const changed = (tree: Tree): string[] => {
    const after = readAll(tree);
    return [...before.keys()].filter((file) => after.get(file) !== before.get(file)).sort();
  };

  const USER = [
    'src/sample-lists/sample-list.entity.ts',
    'src/sample-lists/sample-lists.controller.ts',
    'src/sample-lists/sample-lists.dto.ts',
    'src/sample-lists/sample-lists.module.ts',
    'src/sample-lists/sample-lists.queries.spec.ts',
    'src/sample-lists/sample-lists.queries.ts',
    'src/sample-lists/sample-lists.service.ts',
    'test/e2e/sample-lists.e2e-spec.ts',
    'test/integration/sample-lists.integration-spec.ts',
    'test/support/factories/sample-list.factory.ts',
    `typeorm-migrations/${TIMESTAMP}-create-sample-lists.ts`,
  ];

  describe('domain', () => {
    it.each([
      ['user', USER],
      ['append', USER],
      ['reference', [...USER, 'src/sample-lists/admin-sample-lists.controller.ts'].sort()],
    ])('--type %s writes all its files and adds the table to every list', async (type, files) => {
      const tree = await generate('domain', { name: 'sample-lists', type, timestamp: TIMESTAMP });

      expect(added(tree)).toEqual(files);
      expect(changed(tree)).toEqual([
        '.dependency-cruiser.cjs',
        'src/app.module.ts',
        'src/platform/errors/error-codes.ts',
        'src/platform/http/openapi/document.ts',
        ...(type === 'reference' ? [] : ['src/users/export-sections.ts']),
        'test/contract/audited-tables.json',
        ...(type === 'reference' ? ['test/e2e/swagger-execute.e2e-spec.ts'] : []),
        'test/rls/matrix.ts',
      ]);
      expect(tree.readText('src/app.module.ts')).toContain(
        "import { SampleListsModule } from './sample-lists/sample-lists.module';",
      );
      expect(tree.readText('.dependency-cruiser.cjs')).toContain("\n  'sample-lists': [");
      expect(tree.readText('src/platform/errors/error-codes.ts')).toContain(
        "'sample_list.not_found': define(404, 'Sample list not found'",
      );
      expect(tree.readText('src/platform/http/openapi/document.ts')).toMatch(
        /\{ name: 'Sample lists', description: '[A-Z][^']*\.' \},\n\];/,
      );
      expect(tree.readText('test/rls/matrix.ts')).toContain("\n  'public.sample_lists': {\n");
      expect(JSON.stringify(tree.readJson('test/contract/audited-tables.json'))).toContain('sample_lists');
    });

    it('writes no file that does not change: the CLI would list it as updated', async () => {
      const tree = buildRepository();
      const overwrite = jest.spyOn(tree, 'overwrite');
      const context = {} as SchematicContext;
      const unchanged = 'test/e2e/swagger-execute.e2e-spec.ts';

      await (formatFiles(tree, [unchanged])(tree, context) as Promise<void>);
      const written = overwrite.mock.calls.length;
      tree.overwrite('src/app.module.ts', `${tree.readText('src/app.module.ts')}\nconst a  =  1`);
      await (formatFiles(tree, ['src/app.module.ts'])(tree, context) as Promise<void>);

      expect(written).toBe(0);
      expect(tree.readText('src/app.module.ts')).toMatch(/\nconst a = 1;\n$/);
    });

    it.each(['user', 'append', 'reference'])('--type %s leaves no placeholder', async (type) => {
      const tree = await generate('domain', { name: 'sample-lists', type });

      for (const file of added(tree)) expect(tree.readText(file)).not.toMatch(/<%|%>|TODO|FIXME|eslint-disable/);
    });

    it.each(['user', 'append', 'reference'])('--type %s writes no line that is too long', async (type) => {
      const tree = await generate('domain', { name: 'sample-price-bundles', type, timestamp: TIMESTAMP });

      for (const file of added(tree))
        expect({ file, lines: findLongLines(tree.readText(file)) }).toEqual({ file, lines: [] });
    });

    it('writes each field with its limits, its filter and its reference', async () => {
      const options = { name: 'sample-bills', type: 'user', timestamp: TIMESTAMP, belongsTo: 'jobs' };
      const tree = await generate('domain', { ...options, fields: 'amount:money?,state:enum(open|paid),note:text(7)' });
      const sql = tree.readText(`typeorm-migrations/${TIMESTAMP}-create-sample-bills.ts`);
      const dto = tree.readText('src/sample-bills/sample-bills.dto.ts');

      expect(sql).toMatch(/amount numeric\(10,2\)\s+CONSTRAINT sample_bills_amount_positive/);
      expect(sql).toMatch(/state text NOT NULL\s+CONSTRAINT \w+\s+CHECK \(state IN \('open', 'paid'\)\)/);
      expect(sql).toMatch(/note text NOT NULL\s+CONSTRAINT \w+\s+CHECK \(char_length\(note\) BETWEEN 1 AND 7\)/);
      expect(sql).toMatch(/FOREIGN KEY \(user_id, job_id\)\s+REFERENCES jobs \(user_id, id\) ON DELETE CASCADE/);
      expect(sql).toContain('GRANT UPDATE (amount, state, note) ON sample_bills');
      expect(dto).toMatch(/amount\?: string \| null;[\s\S]*state: SampleBillState;[\s\S]*note: string;/);
      expect(dto).toMatch(/class ListSampleBillsDto [\s\S]*jobId\?: number;[\s\S]*state\?: SampleBillState\[\];/);
      expect(tree.readText('test/e2e/filters.e2e-spec.ts')).toContain(
        "OWN_SPECS: readonly string[] = ['/v1/sample-bills']",
      );
    });

    it('names all mistakes of the options at once, and writes nothing', async () => {
      const tree = buildRepository();
      const mistakes = [
        ['amount', '--fields amount: a field is written name:type'],
        ['a:mony', 'no type is "mony"; the types are text(max), longtext, money'],
        ['id:integer', '"id" is reserved'],
        ['DueAt:instant', '"DueAt" is not camelCase'],
        ['order:integer', '"order" is a keyword of PostgreSQL'],
        ['xmin:integer', '"xmin" is a column of every table in PostgreSQL'],
        ['b:enum', 'an enum has at least two values'],
        ['c:enum(x|x)', 'a value of the enum is there twice'],
        ['d:enum(x|A b)', '"A b" is no value such as past_due'],
        ['e:text(0)', 'the length of a text is a number from 1 to 50000'],
        ['f:money(2)', 'money has nothing in parentheses'],
        ['otherId:integer', 'the id of a row comes from --belongs-to'],
        [`${'x'.repeat(50)}:date`, 'would have more than 63 characters'],
        ['g:date,g:money', '--fields g: it is there twice'],
      ];
      const fields = mistakes.map(([field]) => field).join();
      const refused = generate('domain', { name: 'sample-bills', type: 'user', fields, belongsTo: 'users' }, tree);
      const error = await refused.then(
        () => '',
        (reason: Error) => reason.message,
      );

      expect(error).toContain('No domain "sample-bills": the options have 15 mistakes. Nothing was written.');
      for (const [, why] of mistakes) expect(error).toContain(why);
      expect(error).toContain('--belongs-to users: no such parent; the parents are jobs');
      expect(readAll(tree)).toEqual(before);
    });

    it('forces row security and creates a policy for each granted command', async () => {
      const tree = await generate('domain', { name: 'sample-lists', type: 'user', timestamp: TIMESTAMP });

      const sql = tree.readText(`typeorm-migrations/${TIMESTAMP}-create-sample-lists.ts`);
      expect(sql).toContain('ALTER TABLE sample_lists FORCE ROW LEVEL SECURITY');
      for (const command of ['SELECT', 'INSERT', 'UPDATE', 'DELETE']) {
        expect(sql).toMatch(
          new RegExp(`CREATE POLICY sample_lists_own_data_${command.toLowerCase()} ON sample_lists FOR ${command}`),
        );
      }
    });

    it('dates the migration after the newest, also twice within a second', async () => {
      const once = await generate('domain', { name: 'sample-widgets', type: 'user', timestamp: TIMESTAMP });
      const twice = await generate('domain', { name: 'sample-records', type: 'append' }, once);

      expect(added(twice)).toContain(`typeorm-migrations/${TIMESTAMP + 1_000}-create-sample-records.ts`);
    });

    it('prints the next commands', async () => {
      await generate('domain', { name: 'sample-widgets', type: 'user' });

      expect(printed.join('')).toBe(
        '\nNext:\n  npm run contract\n  npm test -- sample-widgets\n  npm run gates\n' +
          '  npm start (if it is running: npm run migrate, then restart it; until then the new routes answer 404)\n' +
          '  or npm run dev (if it is running: npm run migrate; API and worker then start again by themselves)\n',
      );
    });
  });

  describe('task', () => {
    it('writes the task and its test and adds it to the schedule', async () => {
      const tree = await generate('task', { name: 'polish-samples' });

      expect(added(tree)).toEqual([
        'src/tasks/polish-samples.task.ts',
        'test/integration/scheduler/polish-samples.integration-spec.ts',
      ]);
      expect(changed(tree)).toEqual(['src/scheduled-tasks.ts']);
      expect(tree.readText('src/scheduled-tasks.ts')).toMatch(
        /import \{ POLISH_SAMPLES \} from '\.\/tasks\/polish-samples\.task';[\s\S]*,\s+POLISH_SAMPLES,?\s*\];/,
      );
      expect(printed.join('')).toBe('\nNext:\n  npm test -- polish-samples\n  npm run gates\n  npm start\n');
    });
  });

  it.each([
    ['domain', { name: 'Invoices' }, 'a name is kebab-case'],
    ['domain', { name: 'invoice' }, 'named in the plural'],
    ['domain', { name: 'news' }, 'named in the plural'],
    ['domain', { name: 'news' }, 'add a noun, as in feedback-notes'],
    ['domain', { name: '../x' }, 'a name is kebab-case'],
    ['domain', { name: 'sample_lists' }, 'a name is kebab-case'],
    ['domain', { name: '2fast' }, 'a name is kebab-case'],
    ['domain', { name: 'x'.repeat(30) + 's' }, 'more than 30 characters'],
    ['domain', { name: 'task' }, 'another meaning here'],
    ['domain', { name: 'tasks' }, 'another meaning here'],
    ['domain', { name: 'sessions' }, 'another meaning here'],
    ['domain', { name: 'jobs' }, 'another meaning here'],
    ['domain', { name: 'dates' }, 'would hide an identifier of its files'],
    ['domain', { name: 'proposals' }, 'creates a table or view with this name'],
    ['domain', { name: 'audit-logs' }, 'creates a table or view with this name'],
    ['domain', { name: 'ai-models' }, 'the API has an operation listAiModels'],
    ['domain', { name: 'sample-widgets', fields: 'jobId:text', belongsTo: 'jobs' }, '--belongs-to jobs adds it'],
    ['domain', { name: 'sample-widgets', type: 'append', fields: 'a:date' }, 'only a user domain has --fields'],
    ['domain', { name: 'sample-widgets', type: 'log' }, '--type is one of user, append, reference'],
    ['domain', { name: 'sample-widgets', spec: false }, 'the result is always complete'],
    ['domain', { name: 'sample-widgets', skipImport: true }, 'the result is always complete'],
    ['domain', { name: 'sample-widgets', path: 'lib' }, 'the result is always complete'],
    ['domain', { name: 'sample-widgets', feilds: 'a:date' }, 'Unknown option "feilds"'],
    ['task', { name: 'digest' }, 'named by what it does'],
    ['task', { name: '../x' }, 'a name is kebab-case'],
    ['task', { name: 'purge-expired' }, 'src/platform/scheduler/purge-expired.task.ts is this task'],
  ] as const)('%s refuses %j and writes nothing', async (schematic, options, why) => {
    const tree = buildRepository();

    await expect(
      generate(schematic, { type: schematic === 'domain' ? 'user' : undefined, ...options }, tree),
    ).rejects.toThrow(why);
    expect(readAll(tree)).toEqual(before);
    expect(printed).toEqual([]);
  });

  // Calls the rules directly, because generating for each of the many names would take too long.
  it.each(['user', 'append', 'reference'])('--type %s refuses every reserved word, singular and plural', (type) => {
    const tree = buildRepository();
    const names = [...RESERVED.flatMap((word) => [word, plural(word), `${word}s`]), ...RESERVED_IN_SQL];
    const accepted = names.filter((name) => isAccepted(tree, name, type));

    expect(accepted).toEqual([]);
  });

  it.each(['voids', 'tries', 'lets', 'privates', 'arguments', 'interfaces', 'overlaps'])(
    'refuses %s and writes nothing',
    async (name) => {
      const tree = buildRepository();

      await expect(generate('domain', { name, type: 'user' }, tree)).rejects.toThrow('Nothing was written.');
      expect(readAll(tree)).toEqual(before);
    },
  );

  it.each(['user', 'append', 'reference'])('--type %s refuses the name of every table and folder of src', (type) => {
    const tree = buildRepository();
    const { relations } = JSON.parse(readFileSync(join(ROOT, 'test/contract/catalog.json'), 'utf8')) as {
      relations: object;
    };
    const tables = Object.keys(relations)
      .filter((name) => name.startsWith('public.'))
      .map((name) => toKebab(name.slice(7)));
    const domains = readdirSync(join(ROOT, 'src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    for (const name of domains) if (!tree.exists(`src/${name}/index.ts`)) tree.create(`src/${name}/index.ts`, '');
    const taken = [...tables, ...domains];

    expect(taken.length).toBeGreaterThan(50);
    expect(taken.filter((name) => isAccepted(tree, name, type))).toEqual([]);
  });

  it.each(['invoices', 'receipts', 'price-lists', 'posts', 'countries', 'items', 'notes'])('accepts %s', (name) => {
    expect(['user', 'append', 'reference'].filter((type) => isAccepted(buildRepository(), name, type))).toHaveLength(3);
  });

  it.each(['domain', 'task'] as const)('%s refuses the same name twice', async (schematic) => {
    const options = { name: schematic === 'domain' ? 'sample-widgets' : 'polish-samples' };
    const once = await generate(schematic, options);
    const after = readAll(once);

    await expect(generate(schematic, options, once)).rejects.toThrow(/src\/sample-widgets exists|is this task/);
    expect(readAll(once)).toEqual(after);
  });

  it('writes domains and tasks that compile and are formatted', async () => {
    let tree = await generate('domain', { name: 'sample-widgets', type: 'user' });
    tree = await generate('domain', { name: 'sample-lists', type: 'append' }, tree);
    tree = await generate('domain', { name: 'sample-places', type: 'reference' }, tree);
    tree = await generate('domain', { name: 'sample-bills', fields: EVERY_FIELD, belongsTo: 'jobs' }, tree);
    for (const [name, type] of IMPORTED_NAMES) tree = await generate('domain', { name, type }, tree);
    tree = await generate('task', { name: 'polish-samples' }, tree);
    const copy = new RepositoryCopy();
    for (const [file, text] of readAll(tree)) copy.write(file, text);

    const { code, output } = await copy.run('typescript/bin/tsc', ['--noEmit', '-p', 'tsconfig.json']);
    const formatted = await copy.run('prettier/bin/prettier.cjs', ['--check', ...added(tree), ...changed(tree)]);
    copy.remove();

    expect(output).toBe('');
    expect(code).toBe(0);
    expect(formatted.output).toContain('All matched files use Prettier code style!');
  });
});

describe('nest g --help', () => {
  it('lists domain and task with the standard elements', async () => {
    const copy = new RepositoryCopy();
    const { output } = await copy.generate('--help');
    copy.remove();

    expect(output).toMatch(/\bdomain\b[\s\S]*\bresource\b[\s\S]*\bservice\b[\s\S]*\btask\b/);
    expect(output).toContain('--type user (default), append or');
  });
});
