import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashEntry, hashTree, readCheckpoint } from './tree-proofs';

/** A reader of C2SP tlog-tiles, by the text of https://c2sp.org/tlog-tiles and without code of the product. */

/** Encodes the index of a tile in path elements of three digits; all but the last begin with an x. */
function formatIndex(n: number): string {
  const last = String(n % 1000).padStart(3, '0');
  let [path, rest] = [last, Math.floor(n / 1000)];
  for (; rest > 0; rest = Math.floor(rest / 1000)) path = `x${String(rest % 1000).padStart(3, '0')}/${path}`;
  return path;
}

/** Reads a resource, or fails as a client would. */
function fetchResource(prefix: string, path: string): Buffer {
  const file = join(prefix, path);
  if (!existsSync(file)) throw new Error(`404 ${path}`);
  return readFileSync(file);
}

/** Fetches tile or bundle `n` of `total` units: a full one, or the partial one at the right edge. */
function fetchPart(prefix: string, level: string, n: number, total: number): { bytes: Buffer; width: number } {
  const width = Math.min(256, total - n * 256);
  const suffix = width < 256 ? `.p/${width}` : '';
  return { bytes: fetchResource(prefix, `tile/${level}/${formatIndex(n)}${suffix}`), width };
}

/** Splits a bundle: each entry follows its length, a big-endian uint16. */
function splitBundle(bundle: Buffer): Buffer[] {
  const entries: Buffer[] = [];
  for (let at = 0; at < bundle.length;) {
    const length = bundle.readUInt16BE(at);
    entries.push(bundle.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return entries;
}

function splitTile({ bytes, width }: { bytes: Buffer; width: number }): Buffer[] {
  if (bytes.length !== width * 32) throw new Error(`a tile of width ${width} has ${bytes.length} bytes`);
  return Array.from({ length: width }, (_, i) => bytes.subarray(i * 32, (i + 1) * 32));
}

/**
 * Reads all tiles and entries, and compares each with the checkpoint and with the others.
 * @returns the entries @throws Error for what the specification does not allow
 */
export function readTileLog(prefix: string, verifierKey: string): Buffer[] {
  const { size, root } = readCheckpoint(fetchResource(prefix, 'checkpoint').toString(), verifierKey);
  const entries: Buffer[] = [];
  for (let n = 0; n * 256 < size; n += 1) {
    const { bytes, width } = fetchPart(prefix, 'entries', n, size);
    const bundle = splitBundle(bytes);
    if (bundle.length !== width) throw new Error(`the bundle ${n} has ${bundle.length} entries`);
    entries.push(...bundle);
  }
  let expected = entries.map(hashEntry);
  if (hashTree(expected).toString('base64') !== root) throw new Error('the entries are not those of the checkpoint');
  for (let level = 0; expected.length > 0; level += 1) {
    const next: Buffer[] = [];
    for (let n = 0; n * 256 < expected.length; n += 1) {
      const hashes = splitTile(fetchPart(prefix, String(level), n, expected.length));
      if (!hashes.every((hash, i) => hash.equals(expected[n * 256 + i]!)))
        throw new Error(`tile ${level}/${n} differs`);
      if (hashes.length === 256) next.push(hashTree(hashes));
    }
    expected = next;
  }
  return entries;
}
