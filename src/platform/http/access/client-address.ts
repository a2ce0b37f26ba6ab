import ipaddr from 'ipaddr.js';

/** Four numbers without leading zeros: already in the one form, as nearly every address is. */
const PLAIN_IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/**
 * Returns an address in the one form that is stored and compared: IPv4 out of `::ffff:1.2.3.4`, no zone, no port.
 * Returns null for what is not an address: PostgreSQL's inet would refuse it, and with it the whole write.
 */
export function normalizeAddress(raw: string | undefined): string | null {
  if (raw !== undefined && PLAIN_IPV4.test(raw)) return raw;
  const address = raw
    ?.trim()
    .replace(/^\[(.+)\](?::\d+)?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
    .split('%', 1)[0];
  // ipaddr.js also reads the old short and octal forms of IPv4, which nobody sends honestly.
  if (!address || !(ipaddr.IPv4.isValidFourPartDecimal(address) || ipaddr.IPv6.isValid(address))) return null;
  return ipaddr.process(address).toString();
}

/** Returns what one sender controls: his IPv4 address, or the /64 network an IPv6 host chooses its addresses from. */
export function getNetwork(address: string | null): string {
  if (address === null) return 'unknown';
  const parsed = ipaddr.parse(address);
  if (!(parsed instanceof ipaddr.IPv6)) return address;
  return `${parsed.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`;
}
