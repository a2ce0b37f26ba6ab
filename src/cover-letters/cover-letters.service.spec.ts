import { findSlowInputs } from '../../test/support/measurements';
import { SIMILARITY_THRESHOLD, computeSimilarity } from './cover-letters.service';

const LETTER =
  'Hello, I read your posting with care. I would begin with what hurts most and show you a first result within a week.';

describe(computeSimilarity.name, () => {
  it('is 1 for the same words in any case and punctuation', () => {
    expect(computeSimilarity(LETTER, LETTER.toUpperCase().replace(/[.,]/g, ' ; '))).toBe(1);
  });

  it('exceeds the threshold for a changed greeting, not for another text about the same subject', () => {
    expect(computeSimilarity(LETTER, LETTER.replace('Hello', 'Dear Ann'))).toBeGreaterThan(SIMILARITY_THRESHOLD);
    expect(
      computeSimilarity(
        LETTER,
        'Your posting asks for someone who can begin this week; here is what a first result could be.',
      ),
    ).toBeLessThan(0.1);
  });

  it('is 0 for texts that are too short to compare', () => {
    expect([computeSimilarity('', ''), computeSimilarity('one two', 'one two')]).toEqual([0, 0]);
  });

  it('takes time linear in the length of the texts', () => {
    expect(findSlowInputs((text) => computeSimilarity(text, text), 4_000, 800)).toEqual([]);
  });
});
