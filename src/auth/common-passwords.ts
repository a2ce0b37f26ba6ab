import { dictionary } from '@zxcvbn-ts/language-common';

/** The most used passwords of published leaks, the most used first. */
const MOST_USED = dictionary['passwords-common'];

/** How many of them are also compared by their letters alone. */
const BY_LETTERS = 10_000;

/** Three letters are only those of a common password when it is among the very first. */
const BY_THREE_LETTERS = 3_000;

/** The 49,000 most used passwords, and the letters of the first 10,000. */
export const COMMON_PASSWORDS: ReadonlySet<string> = new Set([
  ...MOST_USED,
  ...MOST_USED.slice(0, BY_LETTERS)
    .map(lettersOf)
    .filter((letters, rank) => letters.length >= (rank < BY_THREE_LETTERS ? 3 : 4)),
]);

/** Returns the letters of a text, without its digits and punctuation. */
export function lettersOf(text: string): string {
  return text.replace(/[^\p{L}]/gu, '');
}
