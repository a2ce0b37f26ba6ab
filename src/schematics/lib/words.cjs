// @ts-check
const { isPlural, singular } = require('pluralize');

/**
 * @typedef {object} Words The forms of a domain's name that its files use; of price-lists:
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
 * @property {string} Title Price lists
 */

/** @param {string} plural @returns {Words} */
function wordsOf(plural) {
  const one = singularOf(plural);
  const words = plural.replaceAll('-', ' ');
  const word = one.replaceAll('-', ' ');
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
    aWord: `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`,
    Title: capital(words),
  };
}

/** The last word decides: price-lists → price-list. @param {string} kebab @returns {string} */
function singularOf(kebab) {
  const parts = kebab.split('-');
  return [...parts.slice(0, -1), singular(parts[parts.length - 1] ?? '')].join('-');
}

/** @param {string} kebab @returns {boolean} whether it names several, and one of them is called otherwise */
function isPluralName(kebab) {
  return isPlural(kebab.split('-').at(-1) ?? '') && singularOf(kebab) !== kebab;
}

/** @param {string} kebab */
const snake = (kebab) => kebab.replaceAll('-', '_');

/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** @param {string} kebab */
const pascal = (kebab) => kebab.split('-').map(capital).join('');

/** @param {string} kebab */
const camel = (kebab) => pascal(kebab).replace(/^./, (letter) => letter.toLowerCase());

module.exports = { wordsOf, isPluralName, singularOf, snake, capital };
