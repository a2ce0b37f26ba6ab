// @ts-check
const { SchematicsException } = require('@angular-devkit/schematics');
const { clashOf } = require('./clashes.cjs');
const { isPluralName, singularOf, snake, wordsOf } = require('./words.cjs');

/** @typedef {import('@angular-devkit/schematics').Tree} Tree */

const ERRORS = 'src/platform/errors/error-codes.ts';

const KEBAB = /^[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$/;

/** The names of constraints, indexes and policies made of it must stay below PostgreSQL's 63 bytes, summaries below 60. */
const MAX_LENGTH = 30;

/** Words that mean one thing here already (README, glossary), and folders of src that are no domains. */
const GLOSSARY = [
  'job',
  'task',
  'token',
  'session',
  'user',
  'tenant',
  'actor',
  'health',
  'metric',
  'admin',
  'doc',
  'queue',
  'migration',
];

/** A class, variable or table of these names would hide what the files of a domain need, or is none in TypeScript or SQL. */
const NO_NAMES = [
  ...[
    'array',
    'boolean',
    'buffer',
    'date',
    'error',
    'function',
    'map',
    'number',
    'object',
    'promise',
    'record',
    'set',
    'string',
    'symbol',
  ],
  ...[
    'app-error',
    'audit-history',
    'change',
    'column',
    'condition',
    'database',
    'entity',
    'instant',
    'module',
    'page',
    'system-database',
    'unit',
  ],
  ...[
    'break',
    'case',
    'class',
    'const',
    'default',
    'delete',
    'enum',
    'export',
    'import',
    'interface',
    'new',
    'package',
    'reference',
    'return',
    'switch',
    'throw',
    'type',
    'yield',
  ],
  ...['app', 'ann', 'bob', 'body', 'dto', 'id', 'query', 'row', 'rule', 'sql', 'status', 'value', 'version'],
];

/**
 * The plurals among PostgreSQL's reserved words, which name no table without quotes, and the table of TypeORM.
 * @see https://www.postgresql.org/docs/15/sql-keywords-appendix.html
 */
const NO_TABLES = ['as', 'overlaps', 'references', 'schema-migrations'];

/**
 * @param {Tree} tree
 * @param {string} name as the CLI hands it over: it has folded PriceLists to price-lists by then
 * @param {string} type of the domain
 * @throws SchematicsException when it is no plural in kebab-case, means something else here or is taken
 */
function assertDomainName(tree, name, type) {
  assertKebab('domain', name);
  if (name.length > MAX_LENGTH) refuse('domain', name, `it has more than ${MAX_LENGTH} characters`);
  const one = singularOf(name);
  for (const word of [name, one]) {
    if (GLOSSARY.includes(word)) refuse('domain', name, `"${word}" has a meaning of its own here (README, glossary)`);
    if (NO_NAMES.includes(word)) refuse('domain', name, `"${word}" would hide what the files need under this name`);
  }
  if (NO_TABLES.includes(name)) refuse('domain', name, `"${name}" is a keyword of SQL or a table of TypeORM`);
  if (!isPluralName(name)) refuse('domain', name, 'a domain is named in the plural, such as invoices or price-lists');
  if (tree.getDir(`/src/${name}`).subfiles.length + tree.getDir(`/src/${name}`).subdirs.length > 0) {
    refuse('domain', name, `src/${name} exists`);
  }
  const migration = migrationThatMakes(tree, snake(name));
  if (migration) refuse('domain', name, `typeorm-migrations/${migration} makes a table or view of this name`);
  if (tree.readText(ERRORS).includes(`'${snake(one)}.`))
    refuse('domain', name, `${ERRORS} has codes of "${snake(one)}"`);
  const clash = clashOf(wordsOf(name), type);
  if (clash) refuse('domain', name, `the files would need "${clash}" for two things`);
}

/**
 * @param {Tree} tree
 * @param {string} name
 * @throws SchematicsException when it is not what a task does, in kebab-case, or is taken
 */
function assertTaskName(tree, name) {
  assertKebab('task', name);
  if (name.length > 2 * MAX_LENGTH) refuse('task', name, `it has more than ${2 * MAX_LENGTH} characters`);
  if (!name.includes('-')) refuse('task', name, 'a task is named by what it does, such as send-digests');
  const declared = `id: '${name}'`;
  tree.getDir('/src').visit((path, entry) => {
    if (!path.endsWith('.task.ts')) return;
    if (path.endsWith(`/${name}.task.ts`) || entry?.content.includes(declared))
      refuse('task', name, `${path.slice(1)} is this task`);
  });
}

/** @param {string} kind @param {string} name */
function assertKebab(kind, name) {
  if (typeof name !== 'string' || !KEBAB.test(name))
    refuse(kind, String(name), 'a name is kebab-case: letters, digits and single hyphens');
}

/** @param {Tree} tree @param {string} table @returns {string | undefined} */
function migrationThatMakes(tree, table) {
  const makes = new RegExp(`CREATE\\s+(?:TABLE|VIEW|MATERIALIZED VIEW)\\s+(?:\\w+\\.)?${table}\\b`);
  const folder = tree.getDir('/typeorm-migrations');
  return folder.subfiles.find((file) => makes.test(folder.file(file)?.content.toString() ?? ''));
}

/** @param {string} kind @param {string} name @param {string} why @returns {never} */
function refuse(kind, name, why) {
  throw new SchematicsException(`No ${kind} "${name}": ${why}. Nothing was written.`);
}

module.exports = { assertDomainName, assertTaskName };
