import type { PromptJob, PromptProfile } from './build-prompt';

/** Something a reader should look at before he sends a draft. */
export interface Finding {
  readonly code: 'contact_details' | 'claim_beyond_profile' | 'truncated' | 'filtered';
  readonly message: string;
  /** The words it is about. */
  readonly excerpt: string;
}

/** What the checks know of the draft's sources. */
export interface CheckSources {
  readonly profile: PromptProfile;
  readonly job: PromptJob | null;
  /** His instructions and template: what he says himself is no invention of the model's. */
  readonly userText: string;
}

/** More findings say nothing new. */
const MAX_FINDINGS = 20;

/** Excerpts that are compared with the sources, for each kind: a text of nothing but figures must not take seconds. */
const MAX_MATCHES = 200;

/** Upwork forbids contact details before a contract. */
const CONTACTS: readonly [RegExp, string][] = [
  [
    /(?<![\p{L}\d._%+-])[\p{L}\d._%+-]+\s?(?:@|\(at\)|\[at\])\s?[\p{L}\d-]+(?:\s?(?:\.|\(dot\)|\[dot\])\s?[\p{L}\d-]+)+/giu,
    'an e-mail address',
  ],
  [/\b(?:https?:\/\/|www\.)\S+/giu, 'a link'],
  [
    /\b(?:telegram|whats ?app|skype|discord|signal|viber|wechat|linkedin)\b[^.!?\n]{0,40}/giu,
    'a way round the platform',
  ],
  [/(?<![\w@.])@[a-z][\w.]{3,30}/giu, 'a handle'],
];

/** A run of digits and what separates them in telephone numbers. */
const DIGITS = /(?<![\d.,])\+?\d[\d\s().-]*/gu;

/** A shorter run is a figure, a date or a price. */
const MIN_TELEPHONE = 9;

const YEARS = /\b(\d{1,2})\s?\+?\s?(?:years?|yrs?|років|роки|лет|jahren?|ans|años)\b/giu;
const RATE =
  /(?:[$€£]\s?(\d+(?:[.,]\d{1,2})?)|\b(\d+(?:[.,]\d{1,2})?)\s?(?:USD|EUR|dollars?))\s?(?:\/|per|an|a)\s?(?:h|hr|hour)\b/giu;
const FIGURES =
  /(?<![\w.,$€£])\d+(?:[.,]\d+)*\s?(?:%|\+|x\b|percent|clients?|projects?|customers?|companies|users?)/giu;

const SENTENCE_END = /(?<=[.!?])\s+|\n/u;

/** The patterns of this file, for the test of their running time. */
export const ANSWER_PATTERNS: readonly RegExp[] = [
  ...CONTACTS.map(([pattern]) => pattern),
  DIGITS,
  YEARS,
  RATE,
  FIGURES,
  SENTENCE_END,
];

/**
 * Returns what a draft says that it should not: contact details, and years, rates, figures and skills that neither the
 * profile nor the user's own words hold. Rules, not understanding: it finds the common and misses the subtle.
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

/** A long run that ends with a digit and goes on with no decimals. */
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
  return { code: 'contact_details', message: `it gives ${what}`, excerpt: excerpt.trim() };
}

/** The first matches that differ. */
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

/** A skill the job asks for and the profile does not hold, in a sentence of the freelancer's about himself. */
function findSkills(text: string, { profile, job, userText }: CheckSources): Finding[] {
  const mine = `${joinProfileTexts(profile)} ${userText}`.toLowerCase();
  const sentences = text.split(SENTENCE_END).filter((sentence) => /\b(?:I|my|me|I've|I'm)\b/u.test(sentence));
  return (job?.skills ?? [])
    .filter((skill) => skill.length > 1 && !mine.includes(skill.toLowerCase()))
    .flatMap((skill) => {
      const said = sentences.find((sentence) => hasWord(sentence, skill));
      return said === undefined ? [] : [buildClaimFinding(skill, `your profile does not name ${skill}`)];
    });
}

function hasWord(text: string, word: string): boolean {
  const escaped = word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(?<![\\p{L}\\d])${escaped}(?![\\p{L}\\d])`, 'iu').test(text);
}

function buildClaimFinding(excerpt: string, why: string): Finding {
  return { code: 'claim_beyond_profile', message: `it says "${excerpt.trim()}", but ${why}`, excerpt: excerpt.trim() };
}

/** `sources` in lower case. */
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
