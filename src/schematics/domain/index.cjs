// @ts-check
const {
  apply,
  applyTemplates,
  chain,
  mergeWith,
  move,
  SchematicsException,
  url,
} = require('@angular-devkit/schematics');
const { addMember } = require('../lib/edits.cjs');
const { buildFieldCode, isFilter } = require('../lib/field-code.cjs');
const { readShape } = require('../lib/shape.cjs');
const { buildTestCode } = require('../lib/test-code.cjs');
const { formatFiles } = require('../lib/format.cjs');
const { assertDomainName } = require('../lib/names.cjs');
const { printNextSteps } = require('../lib/next-steps.cjs');
const { assertComplete } = require('../lib/complete.cjs');
const { buildWords } = require('../lib/words.cjs');

/**
 * @typedef {import('@angular-devkit/schematics').Tree} Tree
 * @typedef {import('@angular-devkit/schematics').Rule} Rule
 * @typedef {import('../lib/words.cjs').Words} Words
 * @typedef {import('../lib/field-code.cjs').Shape} Shape
 * @typedef {{
 *   name: string, type: string, fields?: string, belongsTo?: string, timestamp?: number,
 *   spec?: boolean, skipImport?: boolean, path?: string
 * }} Options
 */

const MODULE = 'src/app.module.ts';
const MATRIX = 'test/rls/matrix.ts';
const EXPORT = 'src/users/export-sections.ts';
const AUDITED = 'test/contract/audited-tables.json';
const ERRORS = 'src/platform/errors/error-codes.ts';
const DOCUMENT = 'src/platform/http/openapi/document.ts';
const IMPORT_RULES = '.dependency-cruiser.cjs';
const FILTERS = 'test/e2e/filters.e2e-spec.ts';
const SWAGGER = 'test/e2e/swagger-execute.e2e-spec.ts';

/**
 * What each type adds to shared files: the domains it uses, the description of its tag in OpenAPI, its row in the
 * matrix of row security, whether the export of a user's data includes it, and the reason when it is not audited.
 * @type {Readonly<Record<string, {
 *   uses: readonly string[], describe: (words: Words) => string, matrix: (shape: Shape) => string,
 *   isExported: boolean, notAudited?: string
 * }>>}
 */
const TYPES = {
  user: {
    uses: ['audit'],
    describe: ({ words }) => `Your ${words}.`,
    isExported: true,
    matrix: buildUserRules,
  },
  append: {
    uses: [],
    describe: ({ words }) => `Your ${words}, which never change.`,
    isExported: true,
    matrix: ({ words: { table } }) => `'public.${table}': {
  // Rows never change.
  select: OWN,
  insert: OWN_INSERT,
  update: NOBODY,
  delete: NOBODY,
  tenant: 'user_id',
  set: \`name = 'x'\`,
  make: ({ userId }) => \`INSERT INTO ${table} (user_id, name) VALUES (\${userId}, 'x')\`,
}`,
    notAudited: 'a log itself: its tenant adds rows, and no row changes',
  },
  reference: {
    uses: [],
    describe: ({ Title }) => `${Title}, the same for every user.`,
    isExported: false,
    matrix: ({ words: { table } }) => `'public.${table}': {
  // The same for every user, maintained by admins.
  select: '1 1 0 1 x',
  insert: 'x x x 1 x',
  update: 'x x x 1 x',
  delete: 'x x x 1 x',
  set: \`description = 'x'\`,
  make: () => \`INSERT INTO ${table} (name) VALUES (gen_random_uuid())\`,
}`,
  },
};

/**
 * Implements `nest g domain <name> [--type user|append|reference]`, and `npm run domain -- <name>` with the options
 * `--fields` and `--belongs-to`, which Nest's CLI does not pass on. Writes a domain, registers its table in every list
 * of tables, and prints the next commands. Writes everything or nothing.
 * @param {Options} options
 * @returns {Rule}
 */
function domain(options) {
  return (tree) => {
    assertComplete(options);
    const type = TYPES[options.type];
    if (!type) throw new SchematicsException(`--type is one of ${Object.keys(TYPES).join(', ')}. Nothing was written.`);
    assertDomainName(tree, options.name, options.type);
    const words = buildWords(options.name);
    const shape = readShape(tree, options, words);
    const timestamp = options.timestamp ?? nextTimestamp(tree);
    const files = apply(url(`./files/${options.type}`), [
      applyTemplates({ ...words, ...buildFieldCode(shape), ...buildTestCode(shape), timestamp }),
      move('/'),
      formatFiles(tree),
    ]);
    printNextSteps([
      ...['npm run contract', `npm test -- ${words.plural}`, 'npm run gates'],
      'npm start (if it is running: npm run migrate, then restart it; until then the new routes answer 404)',
      'or npm run dev (if it is running: npm run migrate; API and worker then start again by themselves)',
    ]);
    return chain([
      mergeWith(files),
      register(shape, type),
      registerInTests(shape, type),
      declareModule(words),
      formatFiles(tree, [MATRIX, EXPORT, ERRORS, IMPORT_RULES, MODULE, DOCUMENT, FILTERS, SWAGGER]),
    ]);
  };
}

/**
 * Adds the domain to the lists of domains, error codes, tags and tables.
 * @param {Shape} shape
 * @param {(typeof TYPES)[string]} type
 * @returns {Rule}
 */
function register(shape, { uses, describe, matrix, isExported, notAudited }) {
  const { plural, pluralCamel, table, code, word, Title } = shape.words;
  const key = plural.includes('-') ? `'${plural}'` : plural;
  const used = [...(shape.parent ? [shape.parent.words.plural] : []), ...uses].map((name) => `'${name}'`);
  return (tree) => {
    addMember(tree, IMPORT_RULES, 'MAY_USE', `${key}: [${used.join(', ')}]`);
    const title = `${word.charAt(0).toUpperCase()}${word.slice(1)} not found`;
    const detail = isExported ? `You have no ${word} with this id.` : `No ${word} has this id.`;
    const text = `'${code}.not_found': define(404, '${title}', '${detail}')`;
    addMember(tree, ERRORS, 'ERROR_CODES', text, 'internal');
    addMember(tree, DOCUMENT, 'TAGS', `{ name: '${Title}', description: '${describe(shape.words)}' }`);
    addMember(tree, MATRIX, 'MATRIX', matrix(shape), 'public.schema_migrations');
    if (isExported) addMember(tree, EXPORT, 'EXPORT_SECTIONS', `byId('${pluralCamel}', '${table}')`);
    if (notAudited)
      addMember(tree, AUDITED, 'notAudited', `"public.${table}": "${notAudited}"`, 'public.schema_migrations');
    else addMember(tree, AUDITED, 'audited', `"${table}"`);
  };
}

/**
 * Adds the domain to the tests of all domains: the filters of lists, and the rows that all users share.
 * @param {Shape} shape
 * @param {(typeof TYPES)[string]} type
 * @returns {Rule}
 */
function registerInTests({ words, fields, parent }, { isExported }) {
  const { plural, table } = words;
  return (tree) => {
    if (parent || fields.some(isFilter)) addMember(tree, FILTERS, 'OWN_SPECS', `'/v1/${plural}'`);
    if (isExported) return;
    addMember(tree, SWAGGER, 'REPEATED', `'POST /v1/admin/${plural}': '409 conflict.duplicate'`);
    addMember(tree, SWAGGER, 'SHARED_TABLES', `['/v1/admin/${plural}', '${table}']`);
  };
}

/** @param {Shape} shape @returns {string} the row of a user domain in the matrix */
function buildUserRules(shape) {
  const { rowColumns, rowValues, setFirst } = buildTestCode(shape);
  const { table } = shape.words;
  const parent = shape.parent?.field;
  return `'public.${table}': {
  select: OWN,
  insert: OWN_INSERT,
  update: OWN,
  delete: OWN,
  tenant: 'user_id',
  set: \`${setFirst(1)}\`,
  make: ({ userId${parent ? `, ${parent}` : ''} }) => \`INSERT INTO ${table} (${rowColumns('user_id')})
      VALUES (${rowValues('${userId}', `\${${parent}}`)})\`,
}`;
}

/** @param {Words} words @returns {Rule} */
function declareModule({ plural, Plural }) {
  return async (tree) => {
    // An ES module, which a CommonJS file cannot require.
    const { ModuleDeclarator } = await import('@nestjs/schematics');
    const options = {
      name: plural,
      type: 'module',
      className: `${Plural}Module`,
      metadata: 'imports',
      path: `/src/${plural}`,
      module: `/${MODULE}`,
    };
    const declaration = /** @type {Parameters<InstanceType<typeof ModuleDeclarator>['declare']>[1]} */ (options);
    tree.overwrite(MODULE, new ModuleDeclarator().declare(tree.readText(MODULE), declaration));
  };
}

/**
 * Returns a time later than every migration, because TypeORM runs them by their time.
 * @param {Tree} tree
 * @returns {number}
 */
function nextTimestamp(tree) {
  const times = tree.getDir('/typeorm-migrations').subfiles.map((file) => Number(file.slice(0, 13)) || 0);
  return Math.max(Date.now(), ...times.map((time) => time + 1_000));
}

module.exports = { domain };
