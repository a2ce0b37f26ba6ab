import { invalidValue } from '../../platform/errors/app-error';
import { EXPERIENCE_LEVELS } from '../job-values';
import { splitSkills } from './cell-readers';
import { choiceOf, isNothing } from './spreadsheet-words';

/** Columns of a listing as Upwork's search page gives it. */
export const UPWORK_COLUMNS = ['Job Title', 'Hourly/Fixed', 'Budget', 'Level', 'Skills'] as const;

type Column = (typeof UPWORK_COLUMNS)[number];
type Listing = Readonly<Partial<Record<Column, string>>>;

/** Commas only between groups of three digits: `$1,50` is a mistake, not 150 dollars. */
const AMOUNT = String.raw`\$((?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d{1,2})?)`;
const HOURLY = new RegExp(String.raw`^Hourly(?::\s*${AMOUNT}(?:\s*[-–—]\s*${AMOUNT})?)?$`, 'i');
const BUDGET = new RegExp(String.raw`^(?:Est\. budget:\s*)?${AMOUNT}$`, 'i');
const LEVELS: ReadonlySet<string> = new Set(EXPERIENCE_LEVELS);

/** Whether these columns are those of a listing. */
export function isUpworkListing(names: readonly string[]): boolean {
  return names.includes('Job Title');
}

/**
 * Returns the fields of a job for a row of a listing: `Hourly: $25.00 - $35.00` is an hourly rate, the budget of a fixed
 * price is both ends of the range, `N/A` is none, and a last `+3` only counts the skills that are not named.
 * @throws AppError `validation.failed` for a cell of another form
 */
export function readUpworkListing(listing: Listing): Record<string, unknown> {
  return {
    title: listing['Job Title'],
    ...paymentOf(given(listing['Hourly/Fixed'])),
    ...budgetOf(given(listing.Budget)),
    experienceLevel: levelOf(given(listing.Level)),
    skills: skillsOf(given(listing.Skills)),
  };
}

/** The cell, unless it says nothing. */
function given(cell: string | undefined): string | undefined {
  return cell === undefined || isNothing(cell) ? undefined : cell;
}

function paymentOf(cell: string | undefined): Record<string, unknown> {
  if (cell === undefined) return {};
  if (choiceOf(cell) === 'fixed') return { jobType: 'fixed' };
  const match = HOURLY.exec(cell);
  if (!match)
    throw invalidValue(
      '/jobType',
      'upwork_payment',
      `Hourly/Fixed must be "Fixed price", "Hourly" or "Hourly: $25.00 - $35.00"`,
    );
  const [, min, max = min] = match;
  return { jobType: 'hourly', hourlyRateMin: amountOf(min), hourlyRateMax: amountOf(max) };
}

function budgetOf(cell: string | undefined): Record<string, unknown> {
  if (cell === undefined) return {};
  const [, amount] = BUDGET.exec(cell) ?? [];
  if (amount === undefined)
    throw invalidValue('/budgetMin', 'upwork_budget', 'Budget must be "N/A" or "Est. budget: $1,000.00"');
  return { budgetMin: amountOf(amount), budgetMax: amountOf(amount), currency: 'USD' };
}

function levelOf(cell: string | undefined): string | undefined {
  if (cell === undefined) return undefined;
  const level = choiceOf(cell);
  if (!LEVELS.has(level))
    throw invalidValue('/experienceLevel', 'upwork_level', 'Level must be Entry Level, Intermediate or Expert');
  return level;
}

function skillsOf(cell: string | undefined): string[] {
  const skills = splitSkills(cell ?? '');
  if (/^\+\d+$/.test(skills.at(-1) ?? '')) skills.pop();
  return skills.filter((skill) => skill !== '');
}

function amountOf(text: string | undefined): string | undefined {
  return text?.replaceAll(',', '');
}
