// @ts-check
const { SchematicsException } = require('@angular-devkit/schematics');
const { findClash } = require('./clashes.cjs');
const { findUnusedWord, readVocabulary } = require('./vocabulary.cjs');
const { buildWords, isPluralName, snake, toSingular } = require('./words.cjs');

/** @typedef {import('@angular-devkit/schematics').Tree} Tree */

const ERRORS = 'src/platform/errors/error-codes.ts';

const KEBAB = /^[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$/;

/** Keeps the names of constraints, indexes and policies below PostgreSQL's 63 bytes, and summaries below 60. */
const MAX_LENGTH = 30;

/** Words that README.md defines, and folders of src that are not domains. */
const DEFINED_WORDS = [
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

/** Names that would hide an identifier of a domain's files, or that TypeScript or SQL reserves. */
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
    'money-column',
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
 * Plurals among PostgreSQL's reserved words, which would need quotes as a table, and TypeORM's table.
 * @see https://www.postgresql.org/docs/15/sql-keywords-appendix.html
 */
const NO_TABLES = ['as', 'overlaps', 'references', 'schema-migrations'];

const NO_PLURAL = `a domain is named in the plural, such as invoices or price-lists; \
to a noun without one add a noun, as in feedback-notes`;

/**
 * @param {Tree} tree
 * @param {string} name after the CLI has converted PriceLists to price-lists
 * @param {string} type of the domain
 * @throws SchematicsException when it is not a plural in kebab-case, has another meaning here or is taken
 */
function assertDomainName(tree, name, type) {
  assertKebab('domain', name);
  if (name.length > MAX_LENGTH) refuse('domain', name, `it has more than ${MAX_LENGTH} characters`);
  const one = toSingular(name);
  for (const word of [name, one]) {
    if (DEFINED_WORDS.includes(word))
      refuse('domain', name, `"${word}" has another meaning here (README.md, Glossary)`);
    if (NO_NAMES.includes(word)) refuse('domain', name, `"${word}" would hide an identifier of its files`);
  }
  if (NO_TABLES.includes(name)) refuse('domain', name, `"${name}" is a keyword of SQL or a table of TypeORM`);
  if (!isPluralName(name)) refuse('domain', name, NO_PLURAL);
  assertVocabulary(tree, 'domain', name, Object.values(buildWords(name)));
  if (tree.getDir(`/src/${name}`).subfiles.length + tree.getDir(`/src/${name}`).subdirs.length > 0) {
    refuse('domain', name, `src/${name} exists`);
  }
  const migration = findMigration(tree, snake(name));
  if (migration) refuse('domain', name, `typeorm-migrations/${migration} creates a table or view with this name`);
  if (tree.readText(ERRORS).includes(`'${snake(one)}.`))
    refuse('domain', name, `${ERRORS} has codes of "${snake(one)}"`);
  const operation = findOperation(tree, buildWords(name));
  if (operation) refuse('domain', name, `the API has an operation ${operation}`);
  const clash = findClash(buildWords(name), type);
  if (clash) refuse('domain', name, `its files would use "${clash}" for two things`);
}

/**
 * @param {Tree} tree
 * @param {string} name
 * @throws SchematicsException when it is not a verb and its object in kebab-case, or is taken
 */
function assertTaskName(tree, name) {
  assertKebab('task', name);
  if (name.length > 2 * MAX_LENGTH) refuse('task', name, `it has more than ${2 * MAX_LENGTH} characters`);
  if (!name.includes('-')) refuse('task', name, 'a task is named by what it does, such as send-digests');
  assertVocabulary(tree, 'task', name, [name]);
  const declared = `id: '${name}'`;
  tree.getDir('/src').visit((path, entry) => {
    if (!path.endsWith('.task.ts')) return;
    if (path.endsWith(`/${name}.task.ts`) || entry?.content.includes(declared))
      refuse('task', name, `${path.slice(1)} is this task`);
  });
}

/** @param {Tree} tree @param {string} kind @param {string} name @param {readonly string[]} forms */
function assertVocabulary(tree, kind, name, forms) {
  const unused = findUnusedWord(readVocabulary(tree), forms);
  if (unused) refuse(kind, name, unused);
}

/** @param {string} kind @param {string} name */
function assertKebab(kind, name) {
  if (typeof name !== 'string' || !KEBAB.test(name))
    refuse(kind, String(name), 'a name is kebab-case: letters, digits and single hyphens');
}

/** @param {Tree} tree @param {string} table @returns {string | undefined} */
function findMigration(tree, table) {
  const creates = new RegExp(`CREATE\\s+(?:TABLE|VIEW|MATERIALIZED VIEW)\\s+(?:\\w+\\.)?${table}\\b`);
  const folder = tree.getDir('/typeorm-migrations');
  return folder.subfiles.find((file) => creates.test(folder.file(file)?.content.toString() ?? ''));
}

/**
 * Returns the first operationId of the domain that a controller already has: each must be unique in the OpenAPI
 * document.
 * @param {Tree} tree
 * @param {import('./words.cjs').Words} words
 * @returns {string | undefined}
 */
function findOperation(tree, { Plural, Singular }) {
  const verbs = ['create', 'get', 'update', 'delete'].map((verb) => `${verb}${Singular}`);
  const operations = [`list${Plural}`, ...verbs, `get${Singular}History`];
  /** @type {string | undefined} */
  let found;
  tree.getDir('/src').visit((path, entry) => {
    if (!path.endsWith('.controller.ts')) return;
    const text = entry?.content.toString() ?? '';
    found ??= operations.find((operation) => text.includes(`operationId: '${operation}'`));
  });
  return found;
}

/** @param {string} kind @param {string} name @param {string} why @returns {never} */
function refuse(kind, name, why) {
  throw new SchematicsException(`No ${kind} "${name}": ${why}. Nothing was written.`);
}

module.exports = { assertDomainName, assertTaskName };
