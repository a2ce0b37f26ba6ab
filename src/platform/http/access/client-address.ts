import ipaddr from 'ipaddr.js';

/** IPv4 in canonical form, as nearly all addresses are. */
const PLAIN_IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/**
 * Returns an address in canonical form: IPv4 instead of `::ffff:1.2.3.4`, no zone, no port. Returns null for other
 * texts: PostgreSQL's inet would reject them, and with them the whole write.
 */
export function normalizeAddress(raw: string | undefined): string | null {
  if (raw !== undefined && PLAIN_IPV4.test(raw)) return raw;
  const address = raw
    ?.trim()
    .replace(/^\[(.+)\](?::\d+)?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
    .split('%', 1)[0];
  // ipaddr.js also reads the short and octal forms of IPv4, which are not accepted here.
  if (!address || !(ipaddr.IPv4.isValidFourPartDecimal(address) || ipaddr.IPv6.isValid(address))) return null;
  return ipaddr.process(address).toString();
}

/** Returns the addresses that one sender controls: an IPv4 address, or the /64 network of an IPv6 host. */
export function getNetwork(address: string | null): string {
  if (address === null) return 'unknown';
  const parsed = ipaddr.parse(address);
  if (!(parsed instanceof ipaddr.IPv6)) return address;
  return `${parsed.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`;
}
