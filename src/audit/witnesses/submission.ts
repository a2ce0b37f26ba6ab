import { HASH_BYTES } from '../seals/merkle-tree';
import { type Checkpoint, decodeBase64, type Note, parseCheckpoint, parseNote } from '../seals/signed-note';

/** Limit of the hashes of a proof; one of 2⁶³ entries needs as many. */
const MAX_PROOF_LINES = 63;

const OLD_SIZE_LINE = /^old (0|[1-9]\d{0,15})$/;

/** A head that a log submits to a witness, and the proof that it extends the older one. */
export interface Submission {
  readonly oldSize: number;
  readonly proof: readonly Buffer[];
  /** The signed head. */
  readonly note: Note;
  readonly head: Checkpoint;
}

/**
 * Parses the body of `add-checkpoint`; signatures and proof are not verified. Returns undefined for another text, and
 * for sizes above 2⁵³.
 * @see https://c2sp.org/tlog-witness#add-checkpoint
 */
export function parseSubmission(body: Buffer): Submission | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
    const end = text.indexOf('\n\n');
    const [oldLine = '', ...proofLines] = text.slice(0, Math.max(0, end)).split('\n');
    const [, oldSize] = OLD_SIZE_LINE.exec(oldLine) ?? [];
    const proof = proofLines.map(decodeBase64).filter((hash) => hash?.length === HASH_BYTES) as Buffer[];
    const note = parseNote(text.slice(end + 2));
    const isWhole = proof.length === proofLines.length && proof.length <= MAX_PROOF_LINES;
    if (!isWhole || !note || oldSize === undefined || !Number.isSafeInteger(Number(oldSize))) return undefined;
    return { oldSize: Number(oldSize), proof, note, head: parseCheckpoint(note.text) };
  } catch {
    // Bytes that are no UTF-8, and a text that is no checkpoint.
    return undefined;
  }
}
