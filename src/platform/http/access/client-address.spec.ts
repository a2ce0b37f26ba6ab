import { getNetwork, normalizeAddress } from './client-address';

describe(normalizeAddress.name, () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['192.0.2.7:5555', '192.0.2.7'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['2001:0DB8:0:0::1', '2001:db8::1'],
    ['unknown', null],
    ['1.2.3.4, 5.6.7.8', null],
    ['127.1', null],
    ['0x7f.1', null],
    ['', null],
    [undefined, null],
  ])('converts %s to %s', (raw, expected) => {
    expect(normalizeAddress(raw)).toBe(expected);
  });
});

describe(getNetwork.name, () => {
  it('returns the /64 network of an IPv6 host', () => {
    expect(getNetwork('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64');
    expect(getNetwork('192.0.2.7')).toBe('192.0.2.7');
    expect(getNetwork(null)).toBe('unknown');
  });
});
