// @ts-check
const { MAX_IDENTIFIER } = require('./fields.cjs');
const { buildWords } = require('./words.cjs');

/**
 * @typedef {import('@angular-devkit/schematics').Tree} Tree
 * @typedef {import('./words.cjs').Words} Words
 *
 * @typedef {object} Parent The domain of the option --belongs-to, such as jobs.
 * @property {Words} words
 * @property {string} field jobId
 * @property {string} column job_id
 * @property {boolean} isSoftDeleted whether a row may have the status deleted; a new row needs another one
 */

const ERRORS = 'src/platform/errors/error-codes.ts';
const MATRIX = 'test/rls/matrix.ts';
const PREFILL = 'src/platform/http/openapi/docs-prefill.ts';

/**
 * Returns the parent, or the mistake of the option.
 * @param {Tree} tree
 * @param {string} name
 * @param {Words} child
 * @returns {Parent | string}
 */
function findParent(tree, name, child) {
  const parents = listParents(tree);
  const words = parents.find(({ plural }) => plural === name);
  if (!words) return `no such parent; the parents are ${parents.map(({ plural }) => plural).join(', ')}`;
  const { singularCamel, code } = words;
  const isTooLong = `${child.table}_${code}_id_fk`.length > MAX_IDENTIFIER;
  if (isTooLong) return `the name of its constraint would have more than ${MAX_IDENTIFIER} characters`;
  const isSoftDeleted = hasSoftDeletion(tree, words);
  return { words, field: `${singularCamel}Id`, column: `${code}_id`, isSoftDeleted };
}

/**
 * Lists the domains whose rows others can refer to. They have the key (user_id, id), tests can create their rows, and
 * Swagger UI fills in their ids.
 * @param {Tree} tree
 * @returns {Words[]}
 */
function listParents(tree) {
  const names = tree.getDir('/src').subdirs.map(String);
  return names.map(buildWords).filter(({ plural, table, singular, singularCamel, Singular }) => {
    const signs = [
      [`test/support/factories/${singular}.factory.ts`, `function insert${Singular}(`],
      [MATRIX, `readonly ${singularCamel}Id: number`],
      [PREFILL, `${singularCamel}Id: '/v1/${plural}'`],
    ];
    const isKnown = signs.every(([file = '', sign = '']) => tree.exists(file) && tree.readText(file).includes(sign));
    return isKnown && findTable(tree, table).includes('UNIQUE (user_id, id)');
  });
}

/** Returns the statement that creates a table, or ''. @param {Tree} tree @param {string} table */
function findTable(tree, table) {
  const folder = tree.getDir('/typeorm-migrations');
  const create = new RegExp(`CREATE TABLE ${table} \\([\\s\\S]*?\\n {2}\\);`);
  const texts = folder.subfiles.map((file) => folder.file(file)?.content.toString() ?? '');
  return texts.map((text) => create.exec(text)?.[0]).find((statement) => statement !== undefined) ?? '';
}

/** @param {Tree} tree @param {Words} words */
function hasSoftDeletion(tree, { table, code }) {
  const isStatus = /status IN \([^)]*'deleted'/.test(findTable(tree, table));
  return isStatus && tree.readText(ERRORS).includes(`'${code}.wrong_status'`);
}

module.exports = { findParent };
