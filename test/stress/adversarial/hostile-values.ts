/** Texts that break programs: invalid text, growing text, and code in other languages. */
const TEXTS: readonly string[] = [
  '',
  ' ',
  '\t\n',
  '\u0000',
  'a\u0000b',
  '\u0001\u001f\u007f',
  '\ud800',
  'a\udfffb',
  '\ufeffbom',
  '\ufffe\uffff',
  '\u202eevil\u202c',
  '\u200b\u200d\u2060',
  'e\u0301'.repeat(50),
  '\u0301'.repeat(500),
  '\u33c2'.repeat(10_000),
  '\ufdfa'.repeat(2_000),
  '\u{1f600}',
  '\u2764\ufe0f'.repeat(300),
  '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}'.repeat(100),
  '漢字',
  'مرحبا',
  'ſK',
  'İi',
  'ß'.repeat(100),
  'x'.repeat(256),
  'x'.repeat(60_000),
  'a.'.repeat(20_000),
  'a-'.repeat(5_000),
  '<!--'.repeat(2_000),
  '('.repeat(5_000),
  '"'.repeat(3_000),
  '\\'.repeat(3_000),
  '%'.repeat(500),
  '&'.repeat(500),
  '"a "'.repeat(500),
  '-a '.repeat(60),
  'null',
  'undefined',
  'true',
  'NaN',
  'Infinity',
  '-0',
  '0x10',
  '1e3',
  '1e999',
  '00000',
  '1_000',
  '１２３',
  '9007199254740993',
  '99999999999999999999999999',
  '0.1',
  '12.345',
  '-1.00',
  '99999999.99',
  '100000000.00',
  '1,000.00',
  '$10',
  '2026-02-30',
  '2026-01-01',
  '2026-01-01T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-06-30T23:59:60Z',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999999999Z',
  '+275760-09-13T00:00:00.001Z',
  '294277-01-01T00:00:00Z',
  '-4714-01-01T00:00:00Z',
  "'; DROP TABLE jobs; --",
  "' OR '1'='1",
  '$1',
  '%s%s%n',
  '{{7*7}}',
  '${jndi:ldap://127.0.0.1/a}',
  '<script>alert(1)</script>',
  '../../../../etc/passwd',
  '..',
  '.',
  'C:\\windows\\win.ini',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'http://',
  'https://example.com',
  'https://[fe80::1%25lo]/',
  'https://[::1%25]/',
  'https://[::1]:0/',
  'https://xn--a/',
  'https://0x100000000/',
  'https://1.2.3.4.5/',
  'https://example.com:99999/',
  'https://user:secret@example.com/',
  'https://exa mple.com/',
  'http://169.254.169.254/latest/meta-data',
  `https://${'a'.repeat(64)}.example.com/`,
  `https://example.com/${'a/'.repeat(1_500)}`,
  'https://例え.テスト/',
  'ann@example.com',
  '"a b"@example.org',
  'ann@[127.0.0.1]',
  'ann+tag@EXAMPLE.com\r\nBcc: bob@example.com',
  `${'a'.repeat(65)}@example.com`,
  'ann@xn--a',
  '00000000-0000-0000-0000-000000000000',
  '__proto__',
  'constructor',
  'toString',
  '*',
  '"*"',
  'W/"1"',
  '"1", "2"',
  'bytes=0-0,-1',
  'respond-async, wait=-1',
  '{"a":1}',
  '[1]',
];

/** Numbers at the limits of JavaScript, PostgreSQL and JSON. */
const NUMBERS: readonly number[] = [0, -0, 1, -1, 0.5, 1e-308, 1e308, 2 ** 31, 2 ** 53, -(2 ** 63), 42.000001, 1e21];

/** Values that are neither texts nor numbers, and combinations. */
const OTHERS: readonly unknown[] = [
  true,
  false,
  null,
  [],
  {},
  [null],
  [[]],
  [[[[['deep']]]]],
  { a: { b: { c: { d: 1 } } } },
  { __proto_: 1, length: -1, toString: 'x', toJSON: 'y' },
  ['a\u0000', '\ud800', 1, null, {}],
  Array.from({ length: 2_000 }, (_, i) => i),
  Array.from({ length: 200 }, () => ({})),
  Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`key${i}`, i])),
];

/** Every value that a field is sent, in the order of the exhaustive pass. */
export const HOSTILE_VALUES: readonly unknown[] = [...TEXTS, ...NUMBERS, ...OTHERS];

/** Formats the value as text for a path, a query or a header. */
export function toText(value: unknown): string {
  if (typeof value === 'string') return value;
  return Object.is(value, -0) ? '-0' : JSON.stringify(value);
}

/** Percent-encodes for a path or a query; a lone surrogate becomes bytes that are invalid in UTF-8. */
export function encode(text: string): string {
  const encodePart = (part: string): string =>
    /^[\ud800-\udfff]$/.test(part) ? surrogateBytes(part.charCodeAt(0)) : encodeURIComponent(part);
  return [...text].map(encodePart).join('');
}

/** Returns whether a header can carry the text: bytes without line breaks. */
export function encodeHeader(text: string): string {
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  return bytes.replace(/[\u0000-\u0008\u000a-\u001f\u007f]/g, '?');
}

function surrogateBytes(code: number): string {
  const bytes = [0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)];
  return bytes.map((byte) => `%${byte.toString(16).toUpperCase()}`).join('');
}
