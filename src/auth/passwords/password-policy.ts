import { AppError } from '../../platform/errors/app-error';
import { COMMON_PASSWORDS, extractLetters, isPattern, listComparedForms } from './password-patterns';

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
