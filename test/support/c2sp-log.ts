import { createNoteKey, formatHead, LOG_KEY, type NoteKey, signNote } from './c2sp-notes';
import { hashEntry, hashTree } from './tree-proofs';

/** What a submission has in place of the right parts. */
interface SubmissionChanges {
  readonly proof?: readonly string[];
  readonly note?: string;
  readonly keys?: readonly NoteKey[];
  readonly extension?: string;
}

/**
 * A log in memory that gets its heads cosigned, by the text of RFC 6962 and C2SP tlog-witness, without code of the
 * product.
 */
export class C2spLog {
  readonly key: NoteKey;

  /** @param name its entries contain it, so that two logs of one origin differ */
  constructor(
    readonly origin: string,
    private readonly name = 'entry',
    key?: NoteKey,
  ) {
    this.key = key ?? createNoteKey(origin, LOG_KEY);
  }

  /** Returns the root of the tree of the first entries. */
  root(size: number): Buffer {
    return hashTree(this.leaves(size));
  }

  /** Returns the text of the head with this size. */
  text(size: number, extension = ''): string {
    return formatHead(this.origin, size, this.root(size), extension);
  }

  /** PROOF of RFC 6962, section 2.1.2, in Base64. */
  prove(oldSize: number, size: number): string[] {
    if (oldSize === 0 || oldSize > size) return [];
    return proveSubtree(oldSize, this.leaves(size), true).map((each) => each.toString('base64'));
  }

  /** Returns the body of add-checkpoint. */
  submission(oldSize: number, size: number, changes: SubmissionChanges = {}): string {
    const { keys = [this.key], proof = this.prove(oldSize, size), extension } = changes;
    const { note = signNote(this.text(size, extension), ...keys) } = changes;
    return `${[`old ${oldSize}`, ...proof].join('\n')}\n\n${note}`;
  }

  private leaves(size: number): Buffer[] {
    return Array.from({ length: size }, (_, i) => hashEntry(Buffer.from(`${this.name} ${i}`)));
  }
}

/** SUBPROOF of RFC 6962, section 2.1.2. */
function proveSubtree(m: number, leaves: readonly Buffer[], isKnown: boolean): Buffer[] {
  const n = leaves.length;
  if (m === n) return isKnown ? [] : [hashTree(leaves)];
  let k = 1;
  while (k * 2 < n) k *= 2;
  return m <= k
    ? [...proveSubtree(m, leaves.slice(0, k), isKnown), hashTree(leaves.slice(k))]
    : [...proveSubtree(m - k, leaves.slice(k), false), hashTree(leaves.slice(0, k))];
}
