import ipaddr from 'ipaddr.js';

/** Returns the network that limits count as one client: an IPv4 address, or the IPv6 /64 that one household has. */
export function networkOf(ip: string | null | undefined): string {
  if (!ip || !ipaddr.isValid(ip)) return 'unknown';
  const address = ipaddr.parse(ip);
  if (address.kind() === 'ipv4') return address.toString();
  return `${address.toByteArray().slice(0, 8).join('.')}/64`;
}
