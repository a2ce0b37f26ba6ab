import { findSlowInputs } from '../../../test/support/measurements';
import { ANSWER_PATTERNS, checkAnswer } from './answer-checks';
import { INJECTION_PATTERNS, LINK_PATTERNS, sanitizeUntrustedText, UNTRUSTED_TEXT_PATTERNS } from './untrusted-text';

const LENGTH = 4_000;

/** Linear patterns stay below it for any length; a quadratic one takes a multiple of half the length. */
const LIMIT = 800;

const PROFILE = {
  headline: 'a',
  overview: null,
  skills: ['b'],
  hourlyRate: null,
  currency: 'USD',
  experienceYears: 1,
  pastWins: [],
};
const SOURCES = {
  profile: PROFILE,
  job: { title: 'a', description: null, skills: ['Kubernetes', 'C++'], questions: [] },
  userText: '',
};

describe('the running time on untrusted text', () => {
  it.each(
    [...UNTRUSTED_TEXT_PATTERNS, ...LINK_PATTERNS, ...INJECTION_PATTERNS, ...ANSWER_PATTERNS].map((pattern) => [
      pattern,
    ]),
  )('is linear for %s', (pattern) => {
    expect(findSlowInputs((text) => text.split(pattern), LENGTH, LIMIT)).toEqual([]);
  });

  it.each<[string, (text: string) => unknown]>([
    ['cleaning it for a prompt', (text) => sanitizeUntrustedText(text, LENGTH / 2)],
    ['checking an answer', (text) => checkAnswer(text, SOURCES)],
  ])('is linear for %s', (_, work) => {
    expect(findSlowInputs(work, LENGTH, LIMIT)).toEqual([]);
  });

  it('does not depend on text beyond the part that is sent', () => {
    const [short, long] = ['\u33c2'.repeat(8_000), '\u33c2'.repeat(50_000)];

    expect(sanitizeUntrustedText(long, 4_000)).toBe(sanitizeUntrustedText(short, 4_000));
  });

  it('is reported as too long for a quadratic pattern', () => {
    const quadratic = /(?:[a-z0-9-]{1,63}\.)+(?:com|net)(?![\w-])/giu;

    // Further attempts can only lower a time, and this one is far above the limit.
    const options = { fillings: ['a.'], attempts: 1 };

    expect(findSlowInputs((text) => text.split(quadratic), 2 * LENGTH, LIMIT, options)).toEqual(['"a."', '"a.!"']);
  });
});
