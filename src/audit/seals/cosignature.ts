import { type KeyObject, sign, verify } from 'node:crypto';
import {
  computeKeyId,
  createEd25519PrivateKey,
  createEd25519PublicKey,
  exportEd25519PublicKey,
  formatVerifierKey,
  isOfKey,
  type NoteSignature,
} from './signed-note';

/** The type of keys of cosignatures with Ed25519. @see https://c2sp.org/signed-note#signature-types */
const COSIGNATURE_V1 = 4;

const TIME_BYTES = 8;
const SIGNATURE_BYTES = 64;

/** A witness's signature of a checkpoint. */
export interface Cosignature {
  /** When it was made, in seconds since 1970. */
  readonly time: number;
  /** The line of a signed note, with its line feed. */
  readonly line: string;
}

/** The name and the public key of a witness. @see https://c2sp.org/tlog-cosignature */
export class CosignatureVerifier {
  readonly keyId: Buffer;
  /** The text of the verifier key. */
  readonly text: string;
  private readonly key: KeyObject;

  constructor(
    readonly name: string,
    publicKey: Buffer,
  ) {
    this.keyId = computeKeyId(name, COSIGNATURE_V1, publicKey);
    this.text = formatVerifierKey(name, COSIGNATURE_V1, publicKey);
    this.key = createEd25519PublicKey(publicKey);
  }

  /**
   * Returns this witness's cosignature of the text of a checkpoint. Signatures of other keys are ignored.
   * @returns undefined without one, and when one is wrong
   */
  find(text: string, signatures: readonly NoteSignature[]): Cosignature | undefined {
    const own = signatures.filter((each) => isOfKey(each, this)).map((each) => this.read(text, each));
    return own.every((each) => each !== undefined) ? own[0] : undefined;
  }

  private read(text: string, { signature, line }: NoteSignature): Cosignature | undefined {
    if (signature.length !== TIME_BYTES + SIGNATURE_BYTES) return undefined;
    const time = signature.readBigUInt64BE();
    // A cosignature of a witness has a time, and 0 means none.
    if (time === 0n || time > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
    if (!verify(null, formatMessage(text, time), this.key, signature.subarray(TIME_BYTES))) return undefined;
    return { time: Number(time), line: `${line}\n` };
  }
}

/** Cosigns checkpoints. */
export class CosignatureSigner {
  readonly verifier: CosignatureVerifier;
  private readonly key: KeyObject;

  /** @param seed the 32 bytes of the private key */
  constructor(name: string, seed: Buffer) {
    this.key = createEd25519PrivateKey(seed);
    this.verifier = new CosignatureVerifier(name, exportEd25519PublicKey(this.key));
  }

  /** Returns the signature line of the text of a checkpoint. @param time seconds since 1970 */
  sign(text: string, time: number): string {
    const encodedTime = Buffer.alloc(TIME_BYTES);
    encodedTime.writeBigUInt64BE(BigInt(time));
    const signature = sign(null, formatMessage(text, BigInt(time)), this.key);
    const { name, keyId } = this.verifier;
    return `\u2014 ${name} ${Buffer.concat([keyId, encodedTime, signature]).toString('base64')}\n`;
  }
}

/** Returns what a witness signs: its kind, the time, and the whole text of the checkpoint. */
function formatMessage(text: string, time: bigint): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${time}\n${text}`);
}
