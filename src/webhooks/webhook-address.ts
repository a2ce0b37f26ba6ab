import { lookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Where a webhook may lead: to public addresses by https; on a developer's machine also to itself, by http too. */
export interface AddressPolicy {
  readonly isLoopbackAllowed: boolean;
}

/** Why an address is not called. The message is for its user. */
export class AddressRefusedError extends Error {}

type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/**
 * Makes sure that a URL may be a webhook as far as its text tells; where its name leads is `createPublicLookup`'s to judge.
 * @throws AddressRefusedError
 */
export function assertAllowedUrl(text: string, policy: AddressPolicy): void {
  if (!URL.canParse(text)) throw new AddressRefusedError('It is not a valid URL.');
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

/** This machine. @see RFC 6761 section 6.3 */
const LOCALHOST = /^(?:.+\.)?localhost$/;

/** Names that never lead to a public address. @see the IANA special-use domain name registry; ICANN's reservation of .internal */
const PRIVATE_NAMES =
  /(?:^|\.)(?:localhost|local|internal|test|invalid|onion|home\.arpa|[^.]+\.(?:in-addr|ip6)\.arpa)$/;

/** @throws AddressRefusedError for a name without a dot, which no public one is, and for one of a private domain */
function assertPublicName(host: string): void {
  if (host.includes('.') && !PRIVATE_NAMES.test(host)) return;
  throw new AddressRefusedError(NOT_PUBLIC);
}

const NOT_PUBLIC = 'The address is not public.';

/**
 * Returns a lookup for node's http client that gives public addresses only. The connection is made to what was judged, so
 * a name that leads elsewhere a moment later (DNS rebinding) gains nothing; with one refused address all are.
 */
export function createPublicLookup(reach: AddressPolicy) {
  return (hostname: string, options: LookupOptions, callback: LookupCallback): void => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '');
      try {
        for (const { address } of addresses) assertAllowedAddress(address, reach);
      } catch (refusal) {
        return callback(refusal as Error, '');
      }
      const [first] = addresses;
      if (options.all || !first) return callback(null, addresses);
      callback(null, first.address, first.family);
    });
  };
}

/** Rejects what is neither public nor, where it may be, this machine: private and link-local networks with metadata, … */
function assertAllowedAddress(address: string, { isLoopbackAllowed }: AddressPolicy): void {
  if (isPublic(address)) return;
  if (isLoopbackAllowed && isLoopback(address)) return;
  throw new AddressRefusedError(NOT_PUBLIC);
}

/** Public by its number, but it answers inside of Azure only, where it gives machines their configuration. */
const AZURE_PLATFORM = '168.63.129.16';

/** The only part of IPv6 that is given out as public addresses; the rest holds IPv4 addresses in disguise, among others. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/** @see the IANA IPv4 and IPv6 special-purpose address registries; RFC 4291 section 2.5 */
function isPublic(address: string): boolean {
  const parsed = ipaddr.process(address);
  if (parsed.range() !== 'unicast' || parsed.toString() === AZURE_PLATFORM) return false;
  return parsed instanceof ipaddr.IPv4 || parsed.match(GLOBAL_UNICAST);
}

function isLoopback(address: string): boolean {
  return ipaddr.process(address).range() === 'loopback';
}
