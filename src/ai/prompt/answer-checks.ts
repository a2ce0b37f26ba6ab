import type { PromptJob, PromptProfile } from './build-prompt';

/** Warning about a draft, for review before it is sent. */
export interface Finding {
  readonly code: 'contact_details' | 'claim_beyond_profile' | 'truncated' | 'filtered';
  readonly message: string;
  /** Words of the draft that the finding is about. */
  readonly excerpt: string;
}

/** Sources that claims in a draft are compared with. */
export interface CheckSources {
  readonly profile: PromptProfile;
  readonly job: PromptJob | null;
  /** The user's instructions and template: their own claims are accepted. */
  readonly userText: string;
}

/** Maximum number of findings; more add nothing. */
const MAX_FINDINGS = 20;

/** Maximum matches per pattern; bounds the time for texts full of figures. */
const MAX_MATCHES = 200;

const AT = String.raw`\s?(?:@|\(at\)|\[at\])\s?`;
const DOT = String.raw`\s?(?:\.|\(dot\)|\[dot\])\s?`;
const EMAIL_ADDRESS = String.raw`(?<![\p{L}\d._%+-])[\p{L}\d._%+-]+${AT}[\p{L}\d-]+(?:${DOT}[\p{L}\d-]+)+`;

/** Upwork forbids contact details before a contract. */
const CONTACTS: readonly [RegExp, string][] = [
  [new RegExp(EMAIL_ADDRESS, 'giu'), 'an email address'],
  [/\b(?:https?:\/\/|www\.)\S+/giu, 'a link'],
  [
    /\b(?:telegram|whats ?app|skype|discord|signal|viber|wechat|linkedin)\b[^.!?\n]{0,40}/giu,
    'a contact outside the platform',
  ],
  [/(?<![\w@.])@[a-z][\w.]{3,30}/giu, 'a handle'],
];

/** Digits and the separators of telephone numbers. */
const DIGITS = /(?<![\d.,])\+?\d[\d\s().-]*/gu;

/** Minimum length of a telephone number; shorter runs are figures, dates or prices. */
const MIN_TELEPHONE = 9;

const YEARS = /\b(\d{1,2})\s?\+?\s?(?:years?|yrs?|років|роки|лет|jahren?|ans|años)\b/giu;
const AMOUNT = String.raw`(\d+(?:[.,]\d{1,2})?)`;
const MONEY = String.raw`(?:[$€£]\s?${AMOUNT}|\b${AMOUNT}\s?(?:USD|EUR|dollars?))`;
const RATE = new RegExp(String.raw`${MONEY}\s?(?:\/|per|an|a)\s?(?:h|hr|hour)\b`, 'giu');
const FIGURES =
  /(?<![\w.,$€£])\d+(?:[.,]\d+)*\s?(?:%|\+|x\b|percent|clients?|projects?|customers?|companies|users?)/giu;

const SENTENCE_END = /(?<=[.!?])\s+|\n/u;

/** Patterns of this file, for the running time test. */
export const ANSWER_PATTERNS: readonly RegExp[] = [
  ...CONTACTS.map(([pattern]) => pattern),
  DIGITS,
  YEARS,
  RATE,
  FIGURES,
  SENTENCE_END,
];

/**
 * Returns contact details in a draft, and years, rates, figures and skills that are neither in the profile nor in the
 * user's own words. It uses patterns: it finds common cases and misses subtle ones.
 */
export function checkAnswer(text: string, sources: CheckSources): Finding[] {
  const findings = [
    ...findContacts(text),
    ...findYears(text, sources),
    ...findRates(text, sources),
    ...findFigures(text, sources),
    ...findSkills(text, sources),
  ];
  return findings.slice(0, MAX_FINDINGS);
}

function findContacts(text: string): Finding[] {
  const details = CONTACTS.flatMap(([pattern, what]) =>
    findMatches(text, pattern).map(([excerpt]) => buildContactFinding(excerpt, what)),
  );
  return [...details, ...findTelephones(text).map((excerpt) => buildContactFinding(excerpt, 'a telephone number'))];
}

/** Returns runs of digits that are long enough and not followed by decimals. */
function findTelephones(text: string): string[] {
  return findMatches(text, DIGITS).flatMap(({ 0: run, index }) => {
    const isAmount = /^,\d/.test(text.slice(index + run.length, index + run.length + 2));
    let end = run.length;
    while (/\D/.test(run.charAt(end - 1))) end -= 1;
    const excerpt = run.slice(0, end);
    return excerpt.length >= MIN_TELEPHONE && !isAmount ? [excerpt] : [];
  });
}

function buildContactFinding(excerpt: string, what: string): Finding {
  return { code: 'contact_details', message: `The draft contains ${what}.`, excerpt: excerpt.trim() };
}

/** Returns the first distinct matches. */
function findMatches(text: string, pattern: RegExp): RegExpExecArray[] {
  const found = new Map<string, RegExpExecArray>();
  for (const match of text.matchAll(pattern)) {
    if (!found.has(match[0])) found.set(match[0], match);
    if (found.size === MAX_MATCHES) break;
  }
  return [...found.values()];
}

function findYears(text: string, { profile, userText }: CheckSources): Finding[] {
  const known = profile.experienceYears ?? 0;
  const sources = toLowerCase([joinProfileTexts(profile), userText]);
  return findMatches(text, YEARS)
    .filter(([excerpt, years]) => Number(years) > known && !isStated(sources, excerpt))
    .map(([excerpt]) => buildClaimFinding(excerpt, `your profile says ${known} years`));
}

function findRates(text: string, { profile, userText }: CheckSources): Finding[] {
  const sources = toLowerCase([userText]);
  return findMatches(text, RATE)
    .filter(
      ([excerpt, a, b]) =>
        Number((a ?? b ?? '').replace(',', '.')) !== Number(profile.hourlyRate ?? NaN) && !isStated(sources, excerpt),
    )
    .map(([excerpt]) => buildClaimFinding(excerpt, `your profile's rate is ${profile.hourlyRate ?? 'not given'}`));
}

function findFigures(text: string, { profile, job, userText }: CheckSources): Finding[] {
  const sources = toLowerCase([
    joinProfileTexts(profile),
    userText,
    job ? `${job.title} ${job.description ?? ''}` : '',
  ]);
  return findMatches(text, FIGURES)
    .filter(([excerpt]) => !isStated(sources, excerpt))
    .map(([excerpt]) => buildClaimFinding(excerpt, 'your profile has no such figure'));
}

/** Finds skills of the job that are not in the profile, in sentences in the first person. */
function findSkills(text: string, { profile, job, userText }: CheckSources): Finding[] {
  const ownText = `${joinProfileTexts(profile)} ${userText}`.toLowerCase();
  const sentences = text.split(SENTENCE_END).filter((sentence) => /\b(?:I|my|me|I've|I'm)\b/u.test(sentence));
  return (job?.skills ?? [])
    .filter((skill) => skill.length > 1 && !ownText.includes(skill.toLowerCase()))
    .flatMap((skill) => {
      const claim = sentences.find((sentence) => hasWord(sentence, skill));
      return claim === undefined ? [] : [buildClaimFinding(skill, `your profile does not list ${skill}`)];
    });
}

function hasWord(text: string, word: string): boolean {
  const escaped = word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(?<![\\p{L}\\d])${escaped}(?![\\p{L}\\d])`, 'iu').test(text);
}

function buildClaimFinding(excerpt: string, why: string): Finding {
  return {
    code: 'claim_beyond_profile',
    message: `The draft says "${excerpt.trim()}", but ${why}.`,
    excerpt: excerpt.trim(),
  };
}

/** Returns true when a source contains the excerpt. `sources` are in lower case. */
function isStated(sources: readonly string[], excerpt: string): boolean {
  const plain = excerpt.trim().toLowerCase();
  return sources.some((source) => source.includes(plain));
}

function toLowerCase(sources: readonly string[]): string[] {
  return sources.map((source) => source.toLowerCase());
}

function joinProfileTexts({ headline, overview, skills, pastWins }: PromptProfile): string {
  return [headline, overview, ...skills, ...pastWins].join(' ');
}
