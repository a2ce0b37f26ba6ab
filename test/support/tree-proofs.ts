import { createHash, createPublicKey, verify } from 'node:crypto';

/** Proofs of RFC 6962 and checkpoints of C2SP, by the text of their specifications and without code of the product. */

const NODE = Buffer.from([1]);

/** Returns SHA-256 over the parts. */
export function sha256(...parts: Buffer[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}

/** Returns the hash of a leaf. */
export function hashEntry(entry: Buffer): Buffer {
  return sha256(Buffer.from([0]), entry);
}

/** MTH of RFC 6962, section 2.1. */
export function hashTree(leafHashes: readonly Buffer[]): Buffer {
  if (leafHashes.length === 0) return sha256();
  if (leafHashes.length === 1) return leafHashes[0]!;
  let k = 1;
  while (k * 2 < leafHashes.length) k *= 2;
  return sha256(NODE, hashTree(leafHashes.slice(0, k)), hashTree(leafHashes.slice(k)));
}

/** RFC 9162, section 2.1.3.2. Returns the root that the path leads to. */
export function followInclusion(leaf: Buffer, index: number, size: number, path: readonly Buffer[]): Buffer {
  let [fn, sn, r] = [index, size - 1, leaf];
  for (const p of path) {
    if (sn === 0) throw new Error('the path is too long');
    if (fn % 2 === 1 || fn === sn) {
      r = sha256(NODE, p, r);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn >> 1, sn >> 1];
    } else {
      r = sha256(NODE, r, p);
    }
    [fn, sn] = [fn >> 1, sn >> 1];
  }
  if (sn !== 0) throw new Error('the path is too short');
  return r;
}

/** RFC 9162, section 2.1.4.2. Returns both roots that the proof leads to. */
export function followConsistency(
  first: number,
  second: number,
  root: Buffer,
  proof: readonly Buffer[],
): [Buffer, Buffer] {
  const path = Number.isInteger(Math.log2(first)) ? [root, ...proof] : [...proof];
  let [fn, sn] = [first - 1, second - 1];
  while (fn % 2 === 1) [fn, sn] = [fn >> 1, sn >> 1];
  let [fr, sr] = [path[0]!, path[0]!];
  for (const c of path.slice(1)) {
    if (sn === 0) throw new Error('the proof is too long');
    if (fn % 2 === 1 || fn === sn) {
      [fr, sr] = [sha256(NODE, c, fr), sha256(NODE, c, sr)];
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn >> 1, sn >> 1];
    } else {
      sr = sha256(NODE, sr, c);
    }
    [fn, sn] = [fn >> 1, sn >> 1];
  }
  if (sn !== 0) throw new Error('the proof is too short');
  return [fr, sr];
}

/** Reads a checkpoint with one signature. @throws Error when the verifier key has not signed it */
export function readCheckpoint(note: string, verifierKey: string): { origin: string; size: number; root: string } {
  const [text = '', signatures = ''] = note.split(/(?<=\n)\n(?=\u2014 )/);
  const [, name = '', keyId = '', key = ''] = /^([^+]+)\+([^+]+)\+(.+)$/.exec(verifierKey) ?? [];
  const encodedKey = Buffer.from(key, 'base64');
  const signature = Buffer.from(signatures.replace(`\u2014 ${name} `, '').trim(), 'base64');
  const expectedId = sha256(Buffer.from(`${name}\n`), encodedKey)
    .subarray(0, 4)
    .toString('hex');
  const publicKey = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: encodedKey.subarray(1).toString('base64url') },
    format: 'jwk',
  });
  const isKnown = encodedKey[0] === 1 && keyId === expectedId && signature.subarray(0, 4).toString('hex') === keyId;
  if (!isKnown || !verify(null, Buffer.from(text), publicKey, signature.subarray(4)))
    throw new Error('the signature of the checkpoint is wrong');
  const [origin = '', size, root = ''] = text.split('\n');
  return { origin, size: Number(size), root };
}
