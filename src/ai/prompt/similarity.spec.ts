import { slowFillings } from '../../../test/support/running-time';
import { ALARMING_SIMILARITY, similarityOf } from './similarity';

const LETTER =
  'Hello, I read your posting with care. I would begin with what hurts most and show you a first result within a week.';

describe(similarityOf.name, () => {
  it('is 1 for the same words, whatever their case and punctuation', () => {
    expect(similarityOf(LETTER, LETTER.toUpperCase().replace(/[.,]/g, ' ; '))).toBe(1);
  });

  it('alarms at a letter with a changed greeting, not at another about the same thing', () => {
    expect(similarityOf(LETTER, LETTER.replace('Hello', 'Dear Ann'))).toBeGreaterThan(ALARMING_SIMILARITY);
    expect(
      similarityOf(
        LETTER,
        'Your posting asks for someone who can begin this week; here is what a first result could be.',
      ),
    ).toBeLessThan(0.1);
  });

  it('is 0 where there is nothing to compare', () => {
    expect([similarityOf('', ''), similarityOf('one two', 'one two')]).toEqual([0, 0]);
  });

  it('takes time linear in the length of the texts', () => {
    expect(slowFillings((text) => similarityOf(text, text), 4_000, 800)).toEqual([]);
  });
});
