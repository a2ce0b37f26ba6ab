import { forDisplay } from './text';

/** Longest name that is compared: longer than any that is known. */
const MAX_LENGTH = 40;

/** Largest share of a name that may differ. */
const MAX_DIFFERENT = 0.4;

/** Longer names are cut before they are folded. */
const MAX_SHOWN_LENGTH = 100;

/** A unit or a remark behind a name: `Budget (USD)`. */
const UNIT = /[([][^()[\]]*[)\]]\s*$/u;

/** Spaces, hyphens, accents, invisible characters, emoji, and the marks of fields that must be filled in. */
const DECORATION = /[\s_.:*\p{Pd}\p{M}\p{Cf}\p{Extended_Pictographic}]/gu;

/** Members of resources that the server sets, folded. */
const READ_ONLY: ReadonlySet<string> = new Set(['id', 'userid', 'version', 'createdat', 'updatedat', 'deletedat']);

/**
 * Returns what is wrong with a name that is not known, and what to do.
 * @param kind `field`, `parameter`, `column`
 */
export function describeUnknownName(kind: string, name: string, known: Iterable<string>): string {
  if (kind !== 'parameter' && READ_ONLY.has(foldName(name)))
    return `The ${kind} "${forDisplay(name)}" is read-only. Leave it out.`;
  const nearest = findNearestName(name, known);
  return `Unknown ${kind} "${forDisplay(name)}".${nearest === undefined ? '' : ` Did you mean "${nearest}"?`}`;
}

/**
 * Returns the known name that a person most likely meant: one that differs by case, spaces and marks only, one with the
 * same beginning or end, or one with few other letters.
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
 * Returns a name without its case, spaces, hyphens, accents and decoration: `Job Title`, `job_title`, `📌 Job–Title *` and
 * `jobTitle` are one. What may change the meaning stays: `Budget (EUR)`.
 */
export function foldName(name: string): string {
  return name.normalize('NFKD').toLowerCase().replace(DECORATION, '');
}

/** Infinity when the names differ too much. */
function computeDistance(wanted: string, candidate: string): number {
  const edits = Math.min(editDistance(wanted, candidate.replace(/^is/, '')), editDistance(wanted, candidate));
  const shorter = Math.min(wanted.length, candidate.length);
  if (edits <= Math.max(1, Math.floor(shorter * MAX_DIFFERENT))) return edits;
  const isPart =
    shorter >= 4 && (candidate.startsWith(wanted) || candidate.endsWith(wanted) || wanted.endsWith(candidate));
  return isPart ? edits : Infinity;
}

/** How many letters must be inserted, removed or replaced. @see Levenshtein distance */
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
