import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';

/** The DER encodings of Ed25519 keys before their 32 bytes. @see https://www.rfc-editor.org/rfc/rfc8410 */
const PRIVATE_KEY_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_KEY_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** The type of Ed25519 keys in signed notes. */
const ED25519 = 1;

const KEY_ID_BYTES = 4;

/** A verifier key is `name+key id+key`; a name contains neither space nor plus sign. */
const VERIFIER_KEY = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/;
const SIGNATURE_LINE = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/;

/** Characters that a note must not contain. */

const CONTROL_CHARACTERS = /[\0-\x09\x0b-\x1f]/;

/** Limit of the signatures of a note; the specification requires to accept 16. */
const MAX_SIGNATURES = 100;

/** Returns the bytes of standard Base64; undefined for another text, and for a second form of the same bytes. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** Returns the id of a key: the first four bytes of SHA-256 over its name, type and bytes. */
export function computeKeyId(name: string, type: number, publicKey: Buffer): Buffer {
  const text = Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([type]), publicKey]);
  return hash('sha256', text, 'buffer').subarray(0, KEY_ID_BYTES);
}

/** Returns the text of a verifier key: name, id, and type with key. */
export function formatVerifierKey(name: string, type: number, publicKey: Buffer): string {
  const encoded = Buffer.concat([Buffer.from([type]), publicKey]).toString('base64');
  return `${name}+${computeKeyId(name, type, publicKey).toString('hex')}+${encoded}`;
}

/** Creates the public key of Ed25519 from its 32 bytes. */
export function createEd25519PublicKey(bytes: Buffer): KeyObject {
  return createPublicKey({ key: Buffer.concat([PUBLIC_KEY_PREFIX, bytes]), format: 'der', type: 'spki' });
}

/** Creates the private key of Ed25519 from its 32 bytes. */
export function createEd25519PrivateKey(seed: Buffer): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PRIVATE_KEY_PREFIX, seed]), format: 'der', type: 'pkcs8' });
}

/** Returns the 32 bytes of the public key. */
export function exportEd25519PublicKey(key: KeyObject): Buffer {
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
  return Buffer.from(x, 'base64url');
}

/** One signature of a note. */
export interface NoteSignature {
  readonly name: string;
  readonly keyId: Buffer;
  readonly signature: Buffer;
  /** The line in the note, without the line feed. */
  readonly line: string;
}

/** A text that ends with a line feed, and its signatures. */
export interface Note {
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** Parses a signed note; its signatures are not verified. Returns undefined for another text. */
export function parseNote(note: string): Note | undefined {
  // The last empty line separates the text from the signatures.
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n') || CONTROL_CHARACTERS.test(note)) return undefined;
  const signatures = parseSignatureLines(note.slice(end + 2));
  return signatures && { text: note.slice(0, end + 1), signatures };
}

/** Parses the signature lines of a note; undefined for another text. */
export function parseSignatureLines(lines: string): NoteSignature[] | undefined {
  const signatures = lines.slice(0, -1).split('\n').map(parseSignatureLine);
  const known = signatures.filter((each) => each !== undefined);
  const isComplete = lines.endsWith('\n') && known.length === signatures.length && known.length <= MAX_SIGNATURES;
  return isComplete ? known : undefined;
}

function parseSignatureLine(line: string): NoteSignature | undefined {
  const [, name = '', encoded = ''] = SIGNATURE_LINE.exec(line) ?? [];
  const bytes = decodeBase64(encoded);
  if (!bytes || bytes.length <= KEY_ID_BYTES) return undefined;
  return { name, keyId: bytes.subarray(0, KEY_ID_BYTES), signature: bytes.subarray(KEY_ID_BYTES), line };
}

/** Returns whether this key made the signature, by its name and id. The signature may still be wrong. */
export function isOfKey(signature: NoteSignature, key: { readonly name: string; readonly keyId: Buffer }): boolean {
  return signature.name === key.name && signature.keyId.equals(key.keyId);
}

/** The name and the public key of a signer of notes. @see https://c2sp.org/signed-note */
export class NoteVerifier {
  readonly keyId: Buffer;

  constructor(
    readonly name: string,
    private readonly publicKey: Buffer,
  ) {
    this.keyId = computeKeyId(name, ED25519, publicKey);
  }

  /** @throws Error for a text that is no verifier key of Ed25519 */
  static parse(text: string): NoteVerifier {
    const [, name = '', keyId, key = ''] = VERIFIER_KEY.exec(text) ?? [];
    const bytes = Buffer.from(key, 'base64');
    if (bytes[0] !== ED25519 || bytes.length !== 33) throw new Error('not a verifier key of Ed25519');
    const verifier = new NoteVerifier(name, bytes.subarray(1));
    if (verifier.keyId.toString('hex') !== keyId) throw new Error('the id of the verifier key is not of its key');
    return verifier;
  }

  /** The text of the verifier key. */
  get text(): string {
    return formatVerifierKey(this.name, ED25519, this.publicKey);
  }

  /** Returns the signed text of a note; undefined when this signer has not signed it, or one signature is wrong. */
  verify(note: string): string | undefined {
    const parsed = parseNote(note);
    const own = parsed?.signatures.filter((each) => isOfKey(each, this)) ?? [];
    return own.length > 0 && own.every((each) => this.hasSigned(parsed!.text, each)) ? parsed!.text : undefined;
  }

  /** Returns whether a signature of this key is valid for the text. */
  hasSigned(text: string, { signature }: NoteSignature): boolean {
    return verify(null, Buffer.from(text), createEd25519PublicKey(this.publicKey), signature);
  }

  /** Returns the checkpoint in a note; undefined when this signer has not signed it. @throws Error for another text */
  readCheckpoint(note: string): Checkpoint | undefined {
    const text = this.verify(note);
    return text === undefined ? undefined : parseCheckpoint(text);
  }
}

/** Signs notes with Ed25519. */
export class NoteSigner {
  readonly verifier: NoteVerifier;
  private readonly key: KeyObject;

  /** @param seed the 32 bytes of the private key */
  constructor(name: string, seed: Buffer) {
    this.key = createEd25519PrivateKey(seed);
    this.verifier = new NoteVerifier(name, exportEd25519PublicKey(this.key));
  }

  /** Returns the note of a text that ends with a line feed. */
  sign(text: string): string {
    const signature = sign(null, Buffer.from(text), this.key);
    const { name, keyId } = this.verifier;
    return `${text}\n\u2014 ${name} ${Buffer.concat([keyId, signature]).toString('base64')}\n`;
  }
}

/** The head of a log. @see https://c2sp.org/tlog-checkpoint */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
  /** Further lines. */
  readonly extension: string;
}

/** Returns the text of a checkpoint, which a note signs. */
export function formatCheckpoint({ origin, size, root, extension }: Checkpoint): string {
  return `${origin}\n${size}\n${root.toString('base64')}\n${extension}`;
}

/** @throws Error for a text that is no checkpoint */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', size = '', root = '', ...others] = text.split('\n');
  const bytes = decodeBase64(root);
  const isSize = /^(?:0|[1-9]\d{0,15})$/.test(size) && Number.isSafeInteger(Number(size));
  // Further lines are not empty; the last part is what follows the last line feed.
  const isWhole = others.length > 0 && others.every((line, i) => (line === '') === (i === others.length - 1));
  if (origin === '' || !isSize || bytes?.length !== 32 || !isWhole) throw new Error('not a checkpoint');
  return { origin, size: Number(size), root: bytes, extension: others.join('\n') };
}
