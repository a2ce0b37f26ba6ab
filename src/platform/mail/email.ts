import { createHmac } from 'node:crypto';
import { domainToASCII } from 'node:url';

/** One email to one person, plain text. */
export interface Email {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** An email to be sent, and for how long it is of use. */
export interface OutgoingEmail extends Email {
  /** An email with a link is given up when the link has expired; others after a day. */
  readonly validForSeconds?: number;
}

/** Longest name of a domain. @see RFC 1035 section 2.3.4 */
const MAX_DOMAIN_LENGTH = 253;

/** Returns the spelling an address is stored and mailed in: Unicode NFC in small letters. */
export function normalEmail(email: string): string {
  return email.normalize('NFC').toLowerCase();
}

/**
 * Returns the spelling by which an address is compared: its domain in ASCII, since `bücher.example` and
 * `xn--bcher-kva.example` are one domain. The unique index on users compares the same.
 * @see RFC 5890 section 2.3.2.4
 */
export function canonicalEmail(email: string): string {
  const normal = normalEmail(email);
  const domain = asciiDomainOf(normal);
  return domain === null ? normal : `${localPartOf(normal)}@${domain}`;
}

/** Returns the ASCII form of an address's domain; null for a domain that is in ASCII, or that has none. */
export function asciiDomainOf(email: string): string | null {
  const domain = domainOf(normalEmail(email));
  const ascii = domainToASCII(domain);
  return ascii === domain || ascii === '' ? null : ascii;
}

/** Returns whether the domain of an address exists in ASCII, as mail needs it. */
export function hasMailDomain(email: string): boolean {
  const ascii = domainToASCII(domainOf(normalEmail(email)));
  return ascii !== '' && ascii.length <= MAX_DOMAIN_LENGTH;
}

/** Returns a keyed hash of an address, for logs and look-ups that must not hold the address itself. */
export function emailHash(key: Buffer, email: string): Buffer {
  return createHmac('sha256', key).update(canonicalEmail(email)).digest();
}

function localPartOf(email: string): string {
  return email.slice(0, email.lastIndexOf('@'));
}

function domainOf(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1);
}

/** Id of the task that sends emails, for those who ask for a run of it. */
export const SEND_MAILS_ID = 'send-mails';
