// @ts-check
const { SchematicsException } = require('@angular-devkit/schematics');
const { DEFAULT_FIELDS, parseFields } = require('./fields.cjs');
const { findParent } = require('./parents.cjs');
const { readVocabulary } = require('./vocabulary.cjs');

/**
 * @typedef {import('./field-code.cjs').Shape} Shape
 * @typedef {import('./words.cjs').Words} Words
 */

/**
 * Reads the options --fields and --belongs-to.
 * @param {import('@angular-devkit/schematics').Tree} tree
 * @param {{ name: string, type: string, fields?: string, belongsTo?: string }} options
 * @param {Words} words
 * @returns {Shape}
 * @throws SchematicsException with all mistakes
 */
function readShape(tree, { name, type, fields: text, belongsTo }, words) {
  const isUser = type === 'user' || (text === undefined && belongsTo === undefined);
  const { fields, mistakes } = parseFields(text ?? DEFAULT_FIELDS, words.table, readVocabulary(tree));
  const parent = belongsTo === undefined ? undefined : findParent(tree, belongsTo, words);
  if (!isUser) mistakes.push(`--type ${type}: only a user domain has --fields and --belongs-to`);
  if (typeof parent === 'string') mistakes.push(`--belongs-to ${belongsTo}: ${parent}`);
  else if (parent && fields.some((field) => field.name === parent.field))
    mistakes.push(`--fields ${parent.field}: --belongs-to ${belongsTo} adds it`);
  if (mistakes.length > 0) refuse(name, mistakes);
  return { words, fields, parent: typeof parent === 'string' ? undefined : parent };
}

/** @param {string} name @param {readonly string[]} mistakes @returns {never} */
function refuse(name, mistakes) {
  const count = mistakes.length === 1 ? 'an option has a mistake' : `the options have ${mistakes.length} mistakes`;
  const list = mistakes.map((mistake) => `\n  ${mistake}`).join('');
  throw new SchematicsException(`No domain "${name}": ${count}. Nothing was written.${list}`);
}

module.exports = { readShape };
