// @ts-check
const { isPlural, singular } = require('pluralize');

/**
 * @typedef {object} Words The forms of a domain's name in its files, such as those of price-lists:
 * @property {string} plural price-lists
 * @property {string} singular price-list
 * @property {string} Plural PriceLists
 * @property {string} Singular PriceList
 * @property {string} pluralCamel priceLists
 * @property {string} singularCamel priceList
 * @property {string} table price_lists
 * @property {string} code price_list
 * @property {string} constant PRICE_LIST
 * @property {string} words price lists
 * @property {string} word price list
 * @property {string} aWord a price list
 * @property {string} AWord A price list
 * @property {string} Title Price lists
 */

/** @param {string} plural @returns {Words} */
function buildWords(plural) {
  const one = toSingular(plural);
  const words = plural.replaceAll('-', ' ');
  const word = one.replaceAll('-', ' ');
  const aWord = `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`;
  return {
    plural,
    singular: one,
    Plural: pascal(plural),
    Singular: pascal(one),
    pluralCamel: camel(plural),
    singularCamel: camel(one),
    table: snake(plural),
    code: snake(one),
    constant: snake(one).toUpperCase(),
    words,
    word,
    aWord,
    AWord: capital(aWord),
    Title: capital(words),
  };
}

/** Returns the singular of the last word: price-lists → price-list. @param {string} kebab @returns {string} */
function toSingular(kebab) {
  const parts = kebab.split('-');
  return [...parts.slice(0, -1), singular(parts[parts.length - 1] ?? '')].join('-');
}

/** @param {string} kebab @returns {boolean} true for a plural that differs from its singular */
function isPluralName(kebab) {
  return isPlural(kebab.split('-').at(-1) ?? '') && toSingular(kebab) !== kebab;
}

/** @param {string} kebab */
const snake = (kebab) => kebab.replaceAll('-', '_');

/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** @param {string} kebab */
const pascal = (kebab) => kebab.split('-').map(capital).join('');

/** @param {string} kebab */
const camel = (kebab) => pascal(kebab).replace(/^./, (letter) => letter.toLowerCase());

/**
 * Returns a list, separated by commas: a short one in one line, a longer one in lines of at most 100 characters.
 * @param {readonly string[]} items
 * @param {string} indent of the lines of a longer list
 */
function wrapList(items, indent) {
  const short = items.join(', ');
  if (short.length <= 40) return short;
  /** @type {string[]} */
  const lines = [];
  for (const item of items) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + item.length < 98) lines[lines.length - 1] = `${last}, ${item}`;
    else lines.push(item);
  }
  return `\n${indent}${lines.join(`,\n${indent}`)}`;
}

module.exports = { buildWords, isPluralName, toSingular, snake, capital, wrapList };
