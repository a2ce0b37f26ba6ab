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
const { assertDomainName } = require('../lib/names.cjs');
const { printAtTheEnd } = require('../lib/next-steps.cjs');
const { assertWhole } = require('../lib/whole.cjs');
const { wordsOf } = require('../lib/words.cjs');

/**
 * @typedef {import('@angular-devkit/schematics').Tree} Tree
 * @typedef {import('@angular-devkit/schematics').Rule} Rule
 * @typedef {import('../lib/words.cjs').Words} Words
 * @typedef {{ name: string, type: string, timestamp?: number, spec?: boolean, skipImport?: boolean, path?: string }} Options
 */

const MATRIX = 'test/rls/matrix.ts';
const EXPORT = 'src/users/export-sections.ts';
const AUDITED = 'test/contract/audited-tables.json';

/**
 * What the types differ in outside of their own files: the domains they use, their rows in the matrix of row security,
 * whether their rows are a tenant's, who can take them along, and their answer to the audit.
 * @type {Readonly<Record<string, { uses: string, matrix: (words: Words) => string, isTenants: boolean, notAudited?: string }>>}
 */
const TYPES = {
  user: {
    uses: `['audit']`,
    isTenants: true,
    matrix: ({ table }) => `'public.${table}': {
  select: OWN, insert: OWN_INSERT, update: OWN, delete: OWN,
  tenant: 'user_id', set: \`name = 'x'\`,
  make: ({ userId }) => \`INSERT INTO ${table} (user_id, name) VALUES (\${userId}, 'x')\`,
}`,
  },
  append: {
    uses: '[]',
    isTenants: true,
    matrix: ({ table }) => `'public.${table}': {
  // What was added stays as it is.
  select: OWN, insert: OWN_INSERT, update: NOBODY, delete: NOBODY,
  tenant: 'user_id', set: \`name = 'x'\`,
  make: ({ userId }) => \`INSERT INTO ${table} (user_id, name) VALUES (\${userId}, 'x')\`,
}`,
    notAudited: 'a log itself: rows are added by their tenant and never change',
  },
  reference: {
    uses: '[]',
    isTenants: false,
    matrix: ({ table }) => `'public.${table}': {
  // The same for every user, kept by admins.
  select: '1 1 0 1 x', insert: 'x x x 1 x', update: 'x x x 1 x', delete: 'x x x 1 x',
  set: \`description = 'x'\`,
  make: () => \`INSERT INTO ${table} (name) VALUES (gen_random_uuid())\`,
}`,
  },
};

/**
 * `nest g domain <name> [--type user|append|reference]`: writes a domain as it would be written by hand, registers it
 * wherever a table must be known, and prints what to run next. Writes all of it or nothing.
 * @param {Options} options
 * @returns {Rule}
 */
function domain(options) {
  return (tree) => {
    assertWhole(options);
    const type = TYPES[options.type];
    if (!type) throw new SchematicsException(`--type is one of ${Object.keys(TYPES).join(', ')}. Nothing was written.`);
    assertDomainName(tree, options.name, options.type);
    const words = wordsOf(options.name);
    const timestamp = options.timestamp ?? nextTimestamp(tree);
    const files = apply(url(`./files/${options.type}`), [applyTemplates({ ...words, timestamp }), move('/')]);
    printAtTheEnd(['npm run format', 'npm run contract', `npm test -- ${words.plural}`, 'npm run migrate']);
    return chain([mergeWith(files), register(words, type), declareModule(words)]);
  };
}

/**
 * The lists in which every domain and every table stands.
 * @param {Words} words
 * @param {(typeof TYPES)[string]} type
 * @returns {Rule}
 */
function register(words, { uses, matrix, isTenants, notAudited }) {
  const { plural, pluralCamel, table, code, word } = words;
  const key = plural.includes('-') ? `'${plural}'` : plural;
  return (tree) => {
    addMember(tree, '.dependency-cruiser.cjs', 'MAY_USE', `${key}: ${uses}`);
    const meaning = `{ status: 404, title: 'There is no such ${word}' }`;
    addMember(tree, 'src/platform/errors/error-codes.ts', 'ERROR_CODES', `'${code}.not_found': ${meaning}`, 'internal');
    addMember(tree, MATRIX, 'MATRIX', matrix(words), 'public.schema_migrations');
    if (isTenants) addMember(tree, EXPORT, 'EXPORT_SECTIONS', `byId('${pluralCamel}', '${table}')`);
    if (notAudited)
      addMember(tree, AUDITED, 'notAudited', `"public.${table}": "${notAudited}"`, 'public.schema_migrations');
    else addMember(tree, AUDITED, 'audited', `"${table}"`);
  };
}

/** @param {Words} words @returns {Rule} */
function declareModule({ plural, Plural }) {
  return async (tree) => {
    // An ES module, which a CommonJS file asks for at run time.
    const { ModuleDeclarator } = await import('@nestjs/schematics');
    const module = '/src/app.module.ts';
    const options = {
      name: plural,
      type: 'module',
      className: `${Plural}Module`,
      metadata: 'imports',
      path: `/src/${plural}`,
      module,
    };
    const declaration = /** @type {Parameters<InstanceType<typeof ModuleDeclarator>['declare']>[1]} */ (options);
    tree.overwrite(module, new ModuleDeclarator().declare(tree.readText(module), declaration));
  };
}

/** Later than every migration there is: TypeORM runs them by their time. @param {Tree} tree @returns {number} */
function nextTimestamp(tree) {
  const times = tree.getDir('/typeorm-migrations').subfiles.map((file) => Number(file.slice(0, 13)) || 0);
  return Math.max(Date.now(), ...times.map((time) => time + 1_000));
}

module.exports = { domain };
