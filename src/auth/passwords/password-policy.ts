import { dictionary } from '@zxcvbn-ts/language-common';
import { AppError } from '../../platform/errors/app-error';

/** The most used passwords of published leaks, in order of use. */
const COMMON_PASSWORD_LIST = dictionary['passwords-common'];

/** Number of common passwords that are also compared by their letters alone. */
const MAX_RANK_BY_LETTERS = 10_000;

/** Number of common passwords that are compared by their letters even if these are only three. */
const MAX_RANK_BY_THREE_LETTERS = 3_000;

/** The 49,000 most used passwords, and the letters of the first 10,000. */
const COMMON_PASSWORDS: ReadonlySet<string> = new Set([
  ...COMMON_PASSWORD_LIST,
  ...COMMON_PASSWORD_LIST.slice(0, MAX_RANK_BY_LETTERS)
    .map(extractLetters)
    .filter((letters, rank) => letters.length >= (rank < MAX_RANK_BY_THREE_LETTERS ? 3 : 4)),
]);

/** Returns the letters of a text, without its digits and punctuation. */
function extractLetters(text: string): string {
  return text.replace(/[^\p{L}]/gu, '');
}

/** Letters that digits and signs replace. Signs with two usual readings have the second one in the second table. */
const LOOKALIKES: readonly Readonly<Record<string, string>>[] = [
  {
    '@': 'a',
    '4': 'a',
    '8': 'b',
    '(': 'c',
    '3': 'e',
    '€': 'e',
    '6': 'g',
    '9': 'g',
    '1': 'i',
    '!': 'i',
    '|': 'i',
    '0': 'o',
    $: 's',
    '5': 's',
    '7': 't',
    '+': 't',
    '2': 'z',
  },
  { '@': 'a', '4': 'a', '3': 'e', '1': 'l', '!': 'l', '|': 'l', '0': 'o', $: 's', '5': 's', '7': 't' },
];

/** Letters that look like English letters. */
const TWINS: Readonly<Record<string, string>> = {
  а: 'a',
  в: 'b',
  е: 'e',
  ё: 'e',
  і: 'i',
  ї: 'i',
  ј: 'j',
  к: 'k',
  м: 'm',
  н: 'h',
  о: 'o',
  р: 'p',
  с: 'c',
  ѕ: 's',
  т: 't',
  у: 'y',
  х: 'x',
  һ: 'h',
  ԁ: 'd',
  ѡ: 'w',
  ԝ: 'w',
  α: 'a',
  β: 'b',
  ε: 'e',
  ι: 'i',
  κ: 'k',
  ν: 'v',
  ο: 'o',
  ρ: 'p',
  τ: 't',
  υ: 'u',
  χ: 'x',
  ω: 'w',
  ı: 'i',
  ł: 'l',
  ø: 'o',
  ß: 'b',
};

/** The keys of Ukrainian and Russian keyboards, and the same keys of an English one: `пароль` is `gfhjkm`. */
const CYRILLIC_KEYS = ['йцукенгшщзхїфівапролджєячсмитьбю', 'йцукенгшщзхъфывапролджэячсмитьбю'];
const ENGLISH_KEYS = `qwertyuiop[]asdfghjkl;'zxcvbnm,.`;

/** Neighbouring keys and letters, in both directions. */
const KEY_ROWS = [
  '012345678901234567890',
  'abcdefghijklmnopqrstuvwxyz',
  'абвгґдеєжзиіїйклмнопрстуфхцчшщьюя',
  'абвгдеёжзийклмнопрстуфхцчшщъыьэюя',
  'qwertyuiop[]',
  'asdfghjkl;',
  'zxcvbnm,./',
  'qwertzuiop',
  'azertyuiop',
  'qsdfghjklm',
  'йцукенгшщзхїґ',
  'йцукенгшщзхъ',
  'фівапролджє',
  'фывапролджэ',
  'ячсмитьбю',
  '!@#$%^&*()_+',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/',
  'qazwsxedcrfvtgbyhnujmikolp',
].flatMap((row) => [row, [...row].reverse().join('')]);

/** Shortest run that counts as a pattern. */
const MIN_RUN = 3;

/** Longest unit whose repetition is a pattern. */
const MAX_UNIT = 4;

/** Most runs and single characters of a pattern: `abc123xyz` has three. */
const MAX_RUNS = 3;

/** Fewest digits that are compared alone; fewer are part of many good passwords. */
const MIN_DIGITS = 6;

/**
 * Returns the forms in which a lower-case password is compared: without accents, with lookalikes of other scripts and
 * of digits replaced, as typed on an English keyboard, its letters alone, its digits alone, and the unit it repeats.
 */
function listComparedForms(whole: string): Set<string> {
  const unit = findRepeatedUnit(whole);
  const plain = whole.normalize('NFKD').replace(/[\p{M}\p{Cf}]/gu, '');
  const latin = replaceLookalikes(plain, TWINS).replaceAll('vv', 'w');
  const bases = [whole, unit, plain, latin];
  const forms = [...bases, ...bases.flatMap(trimToWord), ...CYRILLIC_KEYS.map((keys) => mapToEnglishKeys(whole, keys))];
  const spelt = forms.flatMap((form) => [form, ...LOOKALIKES.map((lookalikes) => replaceLookalikes(form, lookalikes))]);
  const digits = whole.replace(/[^0-9]/g, '');
  return new Set([...spelt, ...spelt.map(extractLetters), ...(digits.length >= MIN_DIGITS ? [digits] : [])]);
}

/** Returns whether a lower-case password is a repetition, a sequence of keys or letters, or a date. */
function isPattern(whole: string): boolean {
  return findRepeatedUnit(whole).length <= MAX_UNIT || countRuns(whole) <= MAX_RUNS || isDate(whole);
}

/** Removes the signs, and the digits and signs, around a word: in `P@ssw0rd1!` they replace no letters. */
function trimToWord(text: string): string[] {
  return [/[\p{L}\p{N}]/u, /\p{L}/u].map((kept) => sliceFirstToLast(text, kept));
}

/** Returns the text from its first to its last character of a kind; an empty string without one. */
function sliceFirstToLast(text: string, kind: RegExp): string {
  const characters = [...text];
  const kept = characters.map((character) => kind.test(character));
  const first = kept.indexOf(true);
  return first === -1 ? '' : characters.slice(first, kept.lastIndexOf(true) + 1).join('');
}

function replaceLookalikes(text: string, lookalikes: Readonly<Record<string, string>>): string {
  return [...text].map((character) => lookalikes[character] ?? character).join('');
}

function mapToEnglishKeys(text: string, keys: string): string {
  return [...text].map((character) => ENGLISH_KEYS[keys.indexOf(character)] ?? character).join('');
}

/** Returns the unit a text consists of repetitions of, or the text itself. */
function findRepeatedUnit(text: string): string {
  // The text recurs in its double at the end of its shortest period.
  return text.slice(0, `${text}${text}`.indexOf(text, 1));
}

/** Counts the runs of a repeated character or of neighbours, and the single characters. */
function countRuns(text: string): number {
  const characters = [...text];
  let runs = 0;
  for (let start = 0; start < characters.length; runs++) start += measureRun(characters, start);
  return runs;
}

/** Returns the length of the run at `start`; 1 without a run. */
function measureRun(characters: readonly string[], start: number): number {
  const same = characters.slice(start).findIndex((character) => character !== characters[start]);
  let length = same === -1 ? characters.length - start : same;
  while (start + length < characters.length && isKeyRow(characters.slice(start, start + length + 1))) length++;
  return length >= MIN_RUN ? length : 1;
}

function isKeyRow(characters: readonly string[]): boolean {
  const text = characters.join('');
  return KEY_ROWS.some((row) => row.includes(text));
}

/** Returns whether a text is digits and separators that spell a date, or two years. */
function isDate(text: string): boolean {
  if (!/^[\d\s./_-]+$/.test(text)) return false;
  const digits = text.replace(/\D/g, '');
  const year = '(?:19|20)\\d\\d';
  const [month, day] = ['(?:0?[1-9]|1[0-2])', '(?:0?[1-9]|[12]\\d|3[01])'];
  return new RegExp(
    `^(?:${day}${month}${year}|${month}${day}${year}|${year}${month}${day}|${year}${day}${month}|${year}${year})$`,
  ).test(digits);
}

/** The owner of a password. */
export interface PasswordOwner {
  readonly email: string;
  readonly firstName?: string | null;
  readonly lastName?: string | null;
}

/** Words of this service, which attackers try first. */
const SERVICE_WORDS = ['gigvault', 'upwork', 'freelance', 'freelancer', 'freelancing'];

/** Shortest part of a name or address that is checked; shorter parts are too common. */
const MIN_WORD_LENGTH = 3;

/**
 * Rejects a password that is a common one, a pattern or a word of its owner, also with accents, lookalikes, another
 * keyboard, digits and punctuation. There are no rules for kinds of characters.
 * @param pointer JSON pointer of the field
 * @throws AppError `password.unfit`
 * @see NIST SP 800-63B section 3.1.1.2; OWASP ASVS 6.2.4, 6.2.11, 6.2.12
 */
export function assertPasswordAllowed(password: string, owner: PasswordOwner, pointer = '/password'): void {
  const whole = password.normalize('NFKC').toLowerCase();
  if (whole.trim() === '') throw buildPasswordError(pointer, 'This password is only white space.');
  if (isPattern(whole)) throw buildPasswordError(pointer, 'This password is a repetition, a sequence or a date.');
  const forms = [...listComparedForms(whole)];
  if (forms.some((form) => COMMON_PASSWORDS.has(form))) {
    throw buildPasswordError(pointer, 'This password is too common (even without its digits and punctuation).');
  }
  const ownerWords = collectOwnerWords(owner);
  if (forms.some((form) => ownerWords.has(form))) {
    throw buildPasswordError(
      pointer,
      'This password is your name, a part of your address or a word of this service (even without its digits and ' +
        'punctuation).',
    );
  }
}

function buildPasswordError(pointer: string, reason: string): AppError {
  const message = `${reason} Choose another one.`;
  return new AppError('password.unfit', { detail: message, errors: [{ pointer, code: 'unfit', message }] });
}

/** Collects names and parts of the address, alone and joined: ann.other@a.com has ann, other and annother. */
function collectOwnerWords({ email, firstName, lastName }: PasswordOwner): Set<string> {
  const [local = '', domain = ''] = email.normalize('NFKC').toLowerCase().split('@');
  const [first, last] = [firstName, lastName].map((name) =>
    extractLetters((name ?? '').normalize('NFKC').toLowerCase()),
  );
  const parts = `${local}.${domain}`.split(/[^\p{L}]+/u);
  const labels = domain.split('.');
  // Both `acme-widgets.co.uk` and `mail.acme-widgets.com` contain the company acmewidgets.
  const companies = labels.flatMap((label, index) => [
    extractLetters(label),
    extractLetters(labels.slice(0, index).join('')),
    extractLetters(labels.slice(index).join('')),
  ]);
  const words = [
    ...parts,
    extractLetters(local),
    extractLetters(domain),
    extractLetters(`${local}${domain}`),
    ...companies,
    `${first}${last}`,
    `${last}${first}`,
  ];
  return new Set(
    [...SERVICE_WORDS, ...words, first ?? '', last ?? ''].filter((word) => word.length >= MIN_WORD_LENGTH),
  );
}
