import { forDisplay } from './fields';

/** Longest name that is compared. All known names are shorter. */
const MAX_LENGTH = 40;

/** Largest share of characters that may differ. */
const MAX_DIFFERENT = 0.4;

/** Longer names are truncated before they are folded. */
const MAX_SHOWN_LENGTH = 100;

/** A unit or a note after a name: `Budget (USD)`. */
const UNIT = /[([][^()[\]]*[)\]]\s*$/u;

/** Spaces, hyphens, accents, invisible characters, emoji, and the marks of fields that must be filled in. */
const DECORATION = /[\s_.:*\p{Pd}\p{M}\p{Cf}\p{Extended_Pictographic}]/gu;

/** Folded names of members that the server sets. */
const READ_ONLY: ReadonlySet<string> = new Set(['id', 'userid', 'version', 'createdat', 'updatedat', 'deletedat']);

/**
 * Returns the error message of an unknown name.
 * @param kind `field`, `parameter`, `column`
 */
export function describeUnknownName(kind: string, name: string, known: Iterable<string>): string {
  if (kind !== 'parameter' && READ_ONLY.has(foldName(name)))
    return `The ${kind} "${forDisplay(name)}" is read-only. Leave it out.`;
  const nearest = findNearestName(name, known);
  return `Unknown ${kind} "${forDisplay(name)}".${nearest === undefined ? '' : ` Did you mean "${nearest}"?`}`;
}

/**
 * Returns the most similar known name: equal after folding, with the same beginning or end, or with few different
 * characters. Returns undefined when none is similar.
 */
export function findNearestName(name: string, known: Iterable<string>): string | undefined {
  const wanted = foldName(name.slice(0, MAX_SHOWN_LENGTH).replace(UNIT, ''));
  if (wanted === '' || wanted.length > MAX_LENGTH) return undefined;
  let [nearest, least]: [string | undefined, number] = [undefined, Infinity];
  for (const candidate of known) {
    const distance = computeDistance(wanted, foldName(candidate));
    if (distance < least) [nearest, least] = [candidate, distance];
  }
  return nearest;
}

/**
 * Returns a name without case, spaces, hyphens, accents and decoration: `Job Title`, `job_title`, `📌 Job–Title *` and
 * `jobTitle` are equal. Text in brackets remains, since it may change the meaning: `Budget (EUR)`.
 */
export function foldName(name: string): string {
  return name.normalize('NFKD').toLowerCase().replace(DECORATION, '');
}

/** Returns the edit distance; Infinity for names that differ too much. */
function computeDistance(wanted: string, candidate: string): number {
  const edits = Math.min(editDistance(wanted, candidate.replace(/^is/, '')), editDistance(wanted, candidate));
  const shorter = Math.min(wanted.length, candidate.length);
  if (edits <= Math.max(1, Math.floor(shorter * MAX_DIFFERENT))) return edits;
  const isPart =
    shorter >= 4 && (candidate.startsWith(wanted) || candidate.endsWith(wanted) || wanted.endsWith(candidate));
  return isPart ? edits : Infinity;
}

/** Returns the Levenshtein distance of two names. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
