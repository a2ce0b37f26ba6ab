// @ts-check
const { readdirSync, readFileSync } = require('node:fs');
const { join } = require('node:path');
const ts = require('typescript');

/** @typedef {import('./words.cjs').Words} Words */

const TEMPLATES = join(__dirname, '..', 'domain', 'files');

/** A part of an identifier that comes from the domain's name. */
const FORM = /<%= (Plural|Singular|pluralCamel|singularCamel|constant) %>/g;

/** An identifier of a template, with the forms of the name in it. */
const IDENTIFIER = /(?:\w|<%= \w+ %>)+/g;

/** Replaces every form while a template is parsed; no file contains it. */
const PLACEHOLDER = 'Zqx';

/** Words that are not reserved but cannot name a variable in a module. */
const NO_VARIABLES = new Set(['arguments', 'await', 'eval', 'undefined']);

/**
 * Returns the first identifier that the files of a domain cannot use: a reserved word of TypeScript, or one that the
 * same file uses for something else.
 * @param {Words} words
 * @param {string} type of the domain
 * @returns {string | undefined}
 */
function findClash(words, type) {
  for (const { names, others } of getTemplates(type)) {
    const found = names.map((name) => fillForms(name, words)).find((name) => isReserved(name) || others.has(name));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** @typedef {{ names: string[], others: Set<string> }} Identifiers Those with a form of the name and the others. */

/** @type {Map<string, Identifiers[]>} */
const known = new Map();

/** @param {string} type @returns {Identifiers[]} the identifiers of each template, read once */
function getTemplates(type) {
  const templates = known.get(type) ?? readTemplates(type);
  known.set(type, templates);
  return templates;
}

/** @param {string} type @returns {Identifiers[]} */
function readTemplates(type) {
  const files = readdirSync(join(TEMPLATES, type), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return files.map((entry) => {
    const text = readFileSync(join(entry.parentPath ?? entry.path, entry.name), 'utf8');
    const names = [...new Set(text.match(IDENTIFIER))].filter((name) => name.search(FORM) >= 0);
    const parsed = ts.createSourceFile(
      entry.name,
      text.replace(/<%.*?%>/g, PLACEHOLDER),
      ts.ScriptTarget.Latest,
      true,
      ts.ScriptKind.TS,
    );
    return { names, others: new Set(listIdentifiers(parsed).filter((name) => !name.includes(PLACEHOLDER))) };
  });
}

/** @param {import('typescript').Node} node @returns {string[]} without the names of members, which cannot clash */
function listIdentifiers(node) {
  /** @type {string[]} */
  const found = [];
  node.forEachChild((child) => {
    if (ts.isIdentifier(child) && !isMemberName(child)) found.push(child.text);
    found.push(...listIdentifiers(child));
  });
  return found;
}

/** @param {import('typescript').Identifier} identifier */
function isMemberName(identifier) {
  const { parent } = identifier;
  const isNamed =
    ts.isPropertyAccessExpression(parent) ||
    ts.isPropertyAssignment(parent) ||
    ts.isClassElement(parent) ||
    ts.isTypeElement(parent);
  return isNamed && parent.name === identifier;
}

/** @param {string} name @param {Words} words */
function fillForms(name, words) {
  return name.replace(FORM, (_, form) => words[/** @type {keyof Words} */ (form)]).replace(/<%= \w+ %>/g, '');
}

/** @param {string} name */
function isReserved(name) {
  const kind = ts.createScanner(ts.ScriptTarget.Latest, true, ts.LanguageVariant.Standard, name).scan();
  const { FirstReservedWord, LastFutureReservedWord } = ts.SyntaxKind;
  return NO_VARIABLES.has(name) || (kind >= FirstReservedWord && kind <= LastFutureReservedWord);
}

module.exports = { findClash };
