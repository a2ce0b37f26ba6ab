import { createHmac } from 'node:crypto';
import { domainToASCII, domainToUnicode } from 'node:url';

/** A plain-text email to one address. */
export interface Email {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** An email to send. */
export interface OutgoingEmail extends Email {
  /** Lifetime of the email's link, after which it is not sent; a day for emails without a link. */
  readonly validForSeconds?: number;
}

/** Longest domain name. @see RFC 1035 section 2.3.4 */
const MAX_DOMAIN_LENGTH = 253;

/** A label in Punycode. */
const ENCODED_LABEL = /(?:^|\.)xn--/;

/** Returns the stored form of an address: Unicode NFC in lower case. */
export function normalEmail(email: string): string {
  return email.normalize('NFC').toLowerCase();
}

/**
 * Returns the form for comparing addresses: the domain in ASCII, since `bücher.example` and `xn--bcher-kva.example` are
 * one domain. The unique index on users compares the same way.
 * @see RFC 5890 section 2.3.2.4
 */
export function canonicalEmail(email: string): string {
  const normal = normalEmail(email);
  const domain = asciiDomainOf(normal);
  return domain === null ? normal : `${getLocalPart(normal)}@${domain}`;
}

/** Returns the ASCII form of an address's domain; null when the domain is ASCII or has no ASCII form. */
export function asciiDomainOf(email: string): string | null {
  const domain = getDomain(normalEmail(email));
  const ascii = domainToASCII(domain);
  return ascii === domain || ascii === '' ? null : ascii;
}

/**
 * Returns whether the domain of an address has an ASCII form, which email needs. Node 24.21 accepts malformed Punycode
 * as that form, so the domain must have a Unicode form too.
 */
export function hasMailDomain(email: string): boolean {
  const ascii = domainToASCII(getDomain(normalEmail(email)));
  return ascii !== '' && ascii.length <= MAX_DOMAIN_LENGTH && !ENCODED_LABEL.test(domainToUnicode(ascii));
}

/** Returns a keyed hash of an address, for logs and look-ups without the address itself. */
export function emailHash(key: Buffer, email: string): Buffer {
  return createHmac('sha256', key).update(canonicalEmail(email)).digest();
}

function getLocalPart(email: string): string {
  return email.slice(0, email.lastIndexOf('@'));
}

function getDomain(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1);
}

/** Id of the task that sends emails. */
export const SEND_MAILS_ID = 'send-mails';
