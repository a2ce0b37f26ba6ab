import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from 'node:crypto';
import { sha256 } from './tree-proofs';

/**
 * Signed notes, checkpoints and cosignatures, by the text of C2SP signed-note, tlog-checkpoint and tlog-cosignature and
 * without code of the product.
 */

/** Types of keys: of a log, and of a witness. */
export const LOG_KEY = 0x01;
export const WITNESS_KEY = 0x04;

/** A key of Ed25519 with a name and a type. */
export interface NoteKey {
  readonly name: string;
  readonly type: number;
  readonly id: Buffer;
  readonly key: KeyObject;
  /** Name, id, and type with public key. */
  readonly text: string;
}

/** Creates a key pair. @param seed the 32 bytes of the private key */
export function createNoteKey(name: string, type: number, seed = randomBytes(32)): NoteKey {
  const d = seed.toString('base64url');
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
  const key = createPrivateKey({ key: Buffer.concat([prefix, seed]), format: 'der', type: 'pkcs8' });
  const { x = '', d: exported } = key.export({ format: 'jwk' });
  if (exported !== d) throw new Error('the key is not the one given');
  const encoded = Buffer.concat([Buffer.from([type]), Buffer.from(x, 'base64url')]);
  const id = sha256(Buffer.from(`${name}\n`), encoded).subarray(0, 4);
  return { name, type, id, key, text: `${name}+${id.toString('hex')}+${encoded.toString('base64')}` };
}

/** Reads a verifier key. @throws Error when its id is not that of the key */
export function readVerifierKey(text: string): NoteKey {
  const [, name = '', id = '', encoded = ''] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text) ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  const expected = sha256(Buffer.from(`${name}\n`), bytes).subarray(0, 4);
  if (bytes.length !== 33 || expected.toString('hex') !== id) throw new Error(`${text} is not a verifier key`);
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: bytes.subarray(1).toString('base64url') };
  return { name, type: bytes[0]!, id: expected, key: createPublicKey({ key: jwk, format: 'jwk' }), text };
}

function line(key: NoteKey, signature: Buffer): string {
  return `\u2014 ${key.name} ${Buffer.concat([key.id, signature]).toString('base64')}\n`;
}

/** Returns the text of a checkpoint. */
export function formatHead(origin: string, size: number, root: Buffer, extension = ''): string {
  return `${origin}\n${size}\n${root.toString('base64')}\n${extension}`;
}

/** Returns the note of a text with a signature of each key. */
export function signNote(text: string, ...keys: readonly NoteKey[]): string {
  return `${text}\n${keys.map((key) => line(key, sign(null, Buffer.from(text), key.key))).join('')}`;
}

/** Returns the signature line of a witness for the text of a checkpoint. */
export function cosign(text: string, key: NoteKey, time = Math.floor(Date.now() / 1_000)): string {
  const encodedTime = Buffer.alloc(8);
  encodedTime.writeBigUInt64BE(BigInt(time));
  const message = Buffer.from(`cosignature/v1\ntime ${time}\n${text}`);
  return line(key, Buffer.concat([encodedTime, sign(null, message, key.key)]));
}

/** The parts of a note. */
export interface ReadNote {
  readonly text: string;
  readonly lines: readonly { readonly name: string; readonly id: Buffer; readonly signature: Buffer }[];
}

/** Splits a note. @throws Error for another text */
export function readNote(note: string): ReadNote {
  const at = note.lastIndexOf('\n\n');
  if (at < 0) throw new Error('a note has an empty line before its signatures');
  const lines = note
    .slice(at + 2)
    .split('\n')
    .slice(0, -1)
    .map((each) => {
      const [, name = '', encoded = ''] = /^\u2014 (\S+) (\S+)$/.exec(each) ?? [];
      const bytes = Buffer.from(encoded, 'base64');
      if (bytes.length < 5) throw new Error(`${each} is not a signature`);
      return { name, id: bytes.subarray(0, 4), signature: bytes.subarray(4) };
    });
  return { text: note.slice(0, at + 1), lines };
}

/** Returns how many signatures of the key a note has. @throws Error when one is wrong */
export function countSignatures(note: string, key: NoteKey): number {
  const { text, lines } = readNote(note);
  const own = lines.filter(({ name, id }) => name === key.name && id.equals(key.id));
  for (const { signature } of own) {
    const time = key.type === WITNESS_KEY ? signature.readBigUInt64BE() : 0n;
    const message = key.type === WITNESS_KEY ? `cosignature/v1\ntime ${time}\n${text}` : text;
    if (!verify(null, Buffer.from(message), publicOf(key), signature.subarray(key.type === WITNESS_KEY ? 8 : 0)))
      throw new Error(`the signature of ${key.name} is wrong`);
  }
  return own.length;
}

function publicOf({ key }: NoteKey): KeyObject {
  return key.type === 'private' ? createPublicKey(key) : key;
}
