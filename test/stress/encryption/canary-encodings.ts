/** A secret that must not appear anywhere, and its name. */
export interface Canary {
  readonly name: string;
  readonly value: string;
}

/** A place that is searched for secrets. */
export interface Place {
  readonly name: string;
  readonly bytes: Buffer;
}

/** In the base64 of a longer text, a secret begins at one of three offsets. */
const BASE64_OFFSETS = [0, 1, 2];

/** The encodings of a secret, by name. */
export function encodeCanary(value: string): Readonly<Record<string, string>> {
  const bytes = Buffer.from(value);
  const base64 = BASE64_OFFSETS.map((offset) => [`base64+${offset}`, base64Within(bytes, offset)] as const);
  const json = JSON.stringify(value).slice(1, -1);
  const jsonAscii = json.replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const preactHtml = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
  return {
    raw: value,
    ...Object.fromEntries(base64),
    ...Object.fromEntries(
      base64.map(([name, text]) => [name.replace('64', '64url'), text.replaceAll('+', '-').replaceAll('/', '_')]),
    ),
    hex: bytes.toString('hex'),
    HEX: bytes.toString('hex').toUpperCase(),
    url: encodeURIComponent(value),
    form: new URLSearchParams({ v: value }).toString().slice(2),
    json,
    jsonAscii,
    html: preactHtml.replaceAll('>', '&gt;').replaceAll("'", '&#39;'),
    preactHtml,
    // As COPY escapes its input.
    ...Object.fromEntries(
      [
        ['copy', value],
        ['copyOfJson', json],
        ['copyOfJsonAscii', jsonAscii],
      ].map(([name, text]) => [name, text!.replaceAll('\\', '\\\\')]),
    ),
  };
}

/** Finds every encoding of every secret in a place, as `<secret> in <place> as <form>`. */
export function findCanaries(canaries: readonly Canary[], places: readonly Place[]): string[] {
  const found = new Set<string>();
  for (const { name, value } of canaries) {
    for (const [form, text] of Object.entries(encodeCanary(value))) {
      for (const place of places) if (place.bytes.includes(text)) found.add(`${name} in ${place.name} as ${form}`);
    }
  }
  return [...found];
}

/** Returns the part of a longer text's base64 that depends only on this part of it. */
function base64Within(bytes: Buffer, offset: number): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  const before = offset === 0 ? 0 : offset + 1;
  const isCut = (offset + bytes.length) % 3 !== 0;
  return text.slice(before, isCut ? -1 : undefined);
}
