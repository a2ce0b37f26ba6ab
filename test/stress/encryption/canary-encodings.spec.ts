import { findCanaries, encodeCanary } from './canary-encodings';

const value = `canary "7f31" & <g'äll>+/\\=`;

describe(findCanaries.name, () => {
  it.each([
    ['as it is', value],
    ['in base64 behind one byte', Buffer.from(`x${value} and more`).toString('base64')],
    ['in base64 behind two bytes', Buffer.from(`xy${value}`).toString('base64')],
    ['in base64url behind three', Buffer.from(`xyz${value}z`).toString('base64url')],
    ['in hex', Buffer.from(`x${value}`).toString('hex')],
    ['in a URL', `https://example.org/?q=${encodeURIComponent(value)}`],
    ['in a form', new URLSearchParams({ password: value }).toString()],
    ['in JSON', JSON.stringify({ password: value })],
    ['in JSON of ASCII', JSON.stringify({ password: value }).replace('ä', '\\u00e4')],
    ['in a page', '<b>canary &quot;7f31&quot; &amp; &lt;g&#39;äll&gt;+/\\=</b>'],
    ['in a page of Preact', `<b>canary &quot;7f31&quot; &amp; &lt;g'äll>+/\\=</b>`],
    ['in a dump', `canary "7f31" & <g'äll>+/\\\\=`],
  ])('finds a secret %s', (_, text) => {
    expect(
      findCanaries([{ name: 'it', value }], [{ name: 'here', bytes: Buffer.from(`before ${text} behind`) }]),
    ).not.toEqual([]);
  });

  it('finds nothing in a place without a secret', () => {
    expect(
      findCanaries(
        [{ name: 'it', value }],
        [{ name: 'here', bytes: Buffer.from(value.slice(1) + value.slice(0, -1)) }],
      ),
    ).toEqual([]);
    expect(Object.values(encodeCanary('twelve chars')).every((form) => form.length > 10)).toBe(true);
  });
});
