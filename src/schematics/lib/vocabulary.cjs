// @ts-check

/**
 * @typedef {import('@angular-devkit/schematics').Tree} Tree
 *
 * @typedef {object} Vocabulary The words that no file of the repository uses, each with what to write instead.
 * @property {Readonly<Record<string, string>>} words parts of identifiers and prose
 * @property {Readonly<Record<string, string>>} identifiers whole identifiers
 */

const VOCABULARY = 'test/architecture/vocabulary.json';

/** @param {Tree} tree @returns {Vocabulary} */
function readVocabulary(tree) {
  return /** @type {Vocabulary} */ (/** @type {unknown} */ (tree.readJson(VOCABULARY)));
}

/**
 * Returns why a name cannot be generated: the files of the domain would fail test/architecture/vocabulary.spec.ts.
 * @param {Vocabulary} vocabulary
 * @param {readonly string[]} forms of the name, as identifiers or words: PriceLists, price_list, price list
 * @returns {string | undefined}
 */
function findUnusedWord({ words, identifiers }, forms) {
  const texts = forms.map((form) => ` ${toWords(form)} `);
  const word = Object.keys(words).find((banned) => texts.some((text) => text.includes(` ${toWords(banned)} `)));
  const found = word ?? forms.find((form) => Object.hasOwn(identifiers, form));
  if (found === undefined) return undefined;
  return `"${found}" is a word that is not used here; instead: ${words[found] ?? identifiers[found]} (${VOCABULARY})`;
}

/** Separates the words of a name: dueAt and due-at become "due at". @param {string} name */
function toWords(name) {
  return name
    .replace(/([a-z\d])(?=[A-Z])/g, '$1 ')
    .replace(/[-_]/g, ' ')
    .toLowerCase();
}

module.exports = { readVocabulary, findUnusedWord };
