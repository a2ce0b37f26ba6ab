import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';

/** The DER encodings of Ed25519 keys before their 32 bytes. @see https://www.rfc-editor.org/rfc/rfc8410 */
const PRIVATE_KEY_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_KEY_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** The type of Ed25519 keys in signed notes. */
const ED25519 = Buffer.from([1]);

const KEY_ID_BYTES = 4;
const SIGNATURE_BYTES = 64;

/** A verifier key is `name+key id+key`; a name contains neither space nor plus sign. */
const VERIFIER_KEY = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/;
const SIGNATURE_LINE = /^\u2014 (\S+) ([A-Za-z0-9+/]+={0,2})$/;

/** The name and the public key of a signer of notes. @see https://c2sp.org/signed-note */
export class NoteVerifier {
  readonly keyId: Buffer;

  constructor(
    readonly name: string,
    private readonly publicKey: Buffer,
  ) {
    const text = Buffer.concat([Buffer.from(`${name}\n`), ED25519, publicKey]);
    this.keyId = hash('sha256', text, 'buffer').subarray(0, KEY_ID_BYTES);
  }

  /** @throws Error for a text that is no verifier key of Ed25519 */
  static parse(text: string): NoteVerifier {
    const [, name = '', keyId, key = ''] = VERIFIER_KEY.exec(text) ?? [];
    const bytes = Buffer.from(key, 'base64');
    if (!bytes.subarray(0, 1).equals(ED25519) || bytes.length !== 33) throw new Error('not a verifier key of Ed25519');
    const verifier = new NoteVerifier(name, bytes.subarray(1));
    if (verifier.keyId.toString('hex') !== keyId) throw new Error('the id of the verifier key is not of its key');
    return verifier;
  }

  /** The text of the verifier key. */
  get text(): string {
    return [this.name, this.keyId.toString('hex'), Buffer.concat([ED25519, this.publicKey]).toString('base64')].join(
      '+',
    );
  }

  /** Returns the signed text of a note; undefined when this signer has not signed it. */
  verify(note: string): string | undefined {
    const end = note.lastIndexOf('\n\n');
    if (end < 0 || !note.endsWith('\n')) return undefined;
    const text = note.slice(0, end + 1);
    const lines = note.slice(end + 2, -1).split('\n');
    return lines.some((line) => this.hasSigned(text, line)) ? text : undefined;
  }

  /** Returns the checkpoint in a note; undefined when this signer has not signed it. @throws Error for another text */
  readCheckpoint(note: string): Checkpoint | undefined {
    const text = this.verify(note);
    return text === undefined ? undefined : parseCheckpoint(text);
  }

  private hasSigned(text: string, line: string): boolean {
    const [, name, encoded = ''] = SIGNATURE_LINE.exec(line) ?? [];
    const bytes = Buffer.from(encoded, 'base64');
    if (name !== this.name || bytes.length !== KEY_ID_BYTES + SIGNATURE_BYTES) return false;
    if (!bytes.subarray(0, KEY_ID_BYTES).equals(this.keyId)) return false;
    return verify(null, Buffer.from(text), this.createKey(), bytes.subarray(KEY_ID_BYTES));
  }

  private createKey(): KeyObject {
    return createPublicKey({ key: Buffer.concat([PUBLIC_KEY_PREFIX, this.publicKey]), format: 'der', type: 'spki' });
  }
}

/** Signs notes with Ed25519. */
export class NoteSigner {
  readonly verifier: NoteVerifier;
  private readonly key: KeyObject;

  /** @param seed the 32 bytes of the private key */
  constructor(name: string, seed: Buffer) {
    this.key = createPrivateKey({ key: Buffer.concat([PRIVATE_KEY_PREFIX, seed]), format: 'der', type: 'pkcs8' });
    const { x = '' } = createPublicKey(this.key).export({ format: 'jwk' });
    this.verifier = new NoteVerifier(name, Buffer.from(x, 'base64url'));
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
  const bytes = Buffer.from(root, 'base64');
  if (origin === '' || !/^(?:0|[1-9]\d{0,15})$/.test(size) || bytes.length !== 32) throw new Error('not a checkpoint');
  return { origin, size: Number(size), root: bytes, extension: others.join('\n') };
}
