import { lookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Allowed addresses: public ones by https; in development also loopback, by http too. */
export interface AddressPolicy {
  readonly isLoopbackAllowed: boolean;
}

/** Rejection of an address; the message is shown to the user. */
export class AddressRefusedError extends Error {}

type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/**
 * Checks the text of a webhook URL. The addresses its name resolves to are checked by `createPublicLookup`.
 * @throws AddressRefusedError
 */
export function assertAllowedUrl(text: string, policy: AddressPolicy): void {
  if (!URL.canParse(text)) throw new AddressRefusedError('The webhook URL is not a valid URL.');
  const { protocol, username, password, hostname } = new URL(text);
  if (username !== '' || password !== '')
    throw new AddressRefusedError('Webhook URLs must not contain a user name or a password.');
  const host = hostname.replace(/^\[|\]$|\.$/g, '');
  const isLocal = LOCALHOST.test(host) || (isIP(host) !== 0 && isLoopback(host));
  if (protocol !== 'https:' && !(protocol === 'http:' && isLocal && policy.isLoopbackAllowed)) {
    throw new AddressRefusedError('Webhook URLs must begin with https://.');
  }
  if (isIP(host) !== 0) assertAllowedAddress(host, policy);
  else if (!(isLocal && policy.isLoopbackAllowed)) assertPublicName(host);
}

/** Names of the loopback interface. @see RFC 6761 section 6.3 */
const LOCALHOST = /^(?:.+\.)?localhost$/;

/**
 * Names that never resolve to a public address. @see the IANA special-use domain name registry; ICANN's reservation of
 * .internal
 */
const PRIVATE_NAMES =
  /(?:^|\.)(?:localhost|local|internal|test|invalid|onion|home\.arpa|[^.]+\.(?:in-addr|ip6)\.arpa)$/;

/** Rejects names of private domains and names without a dot, which are never public. @throws AddressRefusedError */
function assertPublicName(host: string): void {
  if (host.includes('.') && !PRIVATE_NAMES.test(host)) return;
  throw new AddressRefusedError(NOT_PUBLIC);
}

const NOT_PUBLIC = 'The webhook URL must lead to a public address.';

/**
 * Creates a lookup function for node's http client that returns public addresses only. The connection uses the checked
 * address, so changing DNS afterwards (DNS rebinding) has no effect. One rejected address rejects all.
 */
export function createPublicLookup(policy: AddressPolicy) {
  return (hostname: string, options: LookupOptions, callback: LookupCallback): void => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '');
      try {
        for (const { address } of addresses) assertAllowedAddress(address, policy);
      } catch (refusal) {
        return callback(refusal as Error, '');
      }
      const [first] = addresses;
      if (options.all || !first) return callback(null, addresses);
      callback(null, first.address, first.family);
    });
  };
}

/** Rejects addresses that are neither public nor allowed loopback, such as private and link-local networks. */
function assertAllowedAddress(address: string, { isLoopbackAllowed }: AddressPolicy): void {
  if (isPublic(address)) return;
  if (isLoopbackAllowed && isLoopback(address)) return;
  throw new AddressRefusedError(NOT_PUBLIC);
}

/** Azure platform address: formally public, but reachable only inside Azure, where it serves machine configuration. */
const AZURE_PLATFORM = '168.63.129.16';

/** Only part of IPv6 that is allocated as public addresses; the rest includes embedded IPv4 addresses. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Returns true for a public address. @see the IANA IPv4 and IPv6 special-purpose address registries; RFC 4291 section
 * 2.5
 */
function isPublic(address: string): boolean {
  const parsed = ipaddr.process(address);
  if (parsed.range() !== 'unicast' || parsed.toString() === AZURE_PLATFORM) return false;
  return parsed instanceof ipaddr.IPv4 || parsed.match(GLOBAL_UNICAST);
}

function isLoopback(address: string): boolean {
  return ipaddr.process(address).range() === 'loopback';
}
