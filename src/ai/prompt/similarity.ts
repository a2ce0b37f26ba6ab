/** Words that stand together; three tell copied text from text about the same thing. */
const SHINGLE = 3;

/** At or above this a client who has read one letter knows the other. */
export const ALARMING_SIMILARITY = 0.6;

/** Returns how much of two texts is the same, 0 to 1: what their runs of three words have in common. */
export function similarityOf(a: string, b: string): number {
  const [left, right] = [shinglesOf(a), shinglesOf(b)];
  if (left.size === 0 || right.size === 0) return 0;
  const common = [...left].filter((shingle) => right.has(shingle)).length;
  return common / (left.size + right.size - common);
}

function shinglesOf(text: string): Set<string> {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return new Set(words.slice(0, -SHINGLE + 1).map((_, i) => words.slice(i, i + SHINGLE).join(' ')));
}
