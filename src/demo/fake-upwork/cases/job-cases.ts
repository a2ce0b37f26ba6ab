import { buildDataCase, buildMissingField } from './fake-case';

const usd = (rawValue: string) => ({ rawValue, currency: 'USD' });
const buildSkill = (name: string, prettyName: string) => ({ name, prettyName });
const buildOccupations = (id: string, prefLabel: string) => ({ category: { id, prefLabel }, subCategories: null });

const WEB = {
  category: 'web_mobile_software_dev',
  subcategory: 'web_development',
  occupations: buildOccupations('531770282580668418', 'Web, Mobile & Software Dev'),
};

const CLIENT = {
  totalHires: 12,
  totalPostedJobs: 30,
  totalSpent: usd('23420.42'),
  totalReviews: 9,
  totalFeedback: 4.99,
  verificationStatus: 'VERIFIED',
  location: { country: 'Germany', city: 'Hamburg', timezone: 'Europe/Berlin' },
};

const NEW_CLIENT = {
  totalHires: 0,
  totalPostedJobs: 1,
  totalSpent: null,
  totalReviews: 0,
  totalFeedback: 0,
  verificationStatus: null,
  location: null,
};

/** Builds a small job with a fixed price; `fields` replace its own. */
function buildJob(number: number, title: string, description: string, fields: Readonly<Record<string, unknown>>) {
  const id = String(1_991_400_000_000_000_000n + BigInt(number));
  const node = {
    ...{ id, ciphertext: `~02${id}`, title, description },
    ...{ hourlyBudgetType: null, amount: usd('0.0'), hourlyBudgetMin: null, hourlyBudgetMax: null },
    ...{ duration: 'WEEK', durationLabel: 'Less than 1 month', engagement: null, experienceLevel: 'INTERMEDIATE' },
    ...WEB,
    ...{ freelancersToHire: 1, skills: [], client: CLIENT },
    ...{ totalApplicants: 7, applied: false, premium: false, enterprise: false },
    ...{ publishedDateTime: '2026-11-20T08:14:02+0000', renewedDateTime: null },
    ...fields,
  };
  return { node };
}

const HOURLY_RANGE = buildJob(
  1,
  'Speed up slow PostgreSQL queries',
  'Our reports take minutes.\n\nPlease say:\n- how you would start\n- what you need from us',
  {
    ...{ hourlyBudgetType: 'MANUAL', hourlyBudgetMin: usd('40.0'), hourlyBudgetMax: usd('60.0') },
    ...{ duration: 'MONTH', durationLabel: '1 to 3 months', engagement: 'Less than 30 hrs/week' },
    experienceLevel: 'EXPERT',
    skills: [buildSkill('postgresql', 'PostgreSQL'), buildSkill('sql', 'SQL')],
    renewedDateTime: '2026-11-21T06:00:00+0000',
  },
);

const FIXED_PRICE = buildJob(2, 'Webflow site, small changes', 'Four pages.', {
  amount: usd('120.0'),
  skills: [buildSkill('webflow', 'Webflow')],
});

const OPEN_PRICE = buildJob(3, 'Data entry, budget open', 'Tell us your price.', {
  experienceLevel: 'ENTRY_LEVEL',
  category: 'admin_support',
  subcategory: 'data_entry_transcription_services',
  occupations: buildOccupations('531770282580668416', 'Admin Support'),
});

const HOURLY_WITHOUT_RANGE = buildJob(4, 'Ongoing WordPress care', 'A few hours a week.', {
  ...{ hourlyBudgetType: 'NOT_PROVIDED', engagement: '30+ hrs/week' },
  ...{ duration: 'ONGOING', durationLabel: 'More than 6 months' },
  skills: [buildSkill('wordpress', 'WordPress')],
});

const OF_NEW_CLIENT = buildJob(5, 'Newsletter for a shop', 'Two letters a month.', {
  amount: usd('250.0'),
  experienceLevel: 'NONE',
  category: 'sales_marketing',
  subcategory: 'digital_marketing',
  occupations: buildOccupations('531770282580668422', 'Sales & Marketing'),
  skills: [buildSkill('email-marketing', 'Email Marketing')],
  client: NEW_CLIENT,
});

const WITH_NULLS = buildJob(
  6,
  '  Rust <-> C bindings (FFI) & tests ',
  '<p>We need <b>safe</b> bindings.</p> if (a < b && c > d) …',
  {
    ...{ hourlyBudgetType: 'DEFAULT', hourlyBudgetMin: usd('0.0'), hourlyBudgetMax: usd('95.5') },
    ...{ duration: null, durationLabel: null, engagement: 'Less than 30 hrs/week', experienceLevel: null },
    ...{ category: null, subcategory: null, occupations: null },
    skills: [buildSkill('rust', 'Rust'), null, buildSkill('c', 'C')],
    client: { ...CLIENT, location: { country: 'GBR', city: null, timezone: null } },
  },
);

const FILLED = buildJob(7, 'Landing page (filled)', 'Thanks, we found somebody.', {
  amount: { rawValue: '500.0', currency: 'EUR' },
  freelancersToHire: 0,
});

const buildVariables = (after: string) => ({
  filter: { searchExpression_eq: 'postgresql', pagination_eq: { after, first: 50 } },
});

function buildSearch(totalCount: number, edges: readonly unknown[] | null, pageInfo: unknown) {
  return { marketplaceJobPostingsSearch: { totalCount, edges, pageInfo } };
}

/** Cases of searches: the kinds of pay, what may be null, and the ends of the pages. */
export const SEARCH_CASES = {
  'jobs-page': buildDataCase(
    buildVariables('0'),
    buildSearch(57, [HOURLY_RANGE, FIXED_PRICE, OPEN_PRICE, HOURLY_WITHOUT_RANGE, OF_NEW_CLIENT, WITH_NULLS, FILLED], {
      hasNextPage: true,
      endCursor: '7',
    }),
  ),
  'jobs-page-partial': buildDataCase(
    buildVariables('7'),
    buildSearch(57, [HOURLY_RANGE, null, FIXED_PRICE], { hasNextPage: true, endCursor: '10' }),
    [buildMissingField(['marketplaceJobPostingsSearch', 'edges', 1, 'node', 'client'])],
  ),
  'jobs-page-last': buildDataCase(buildVariables('57'), buildSearch(57, [], { hasNextPage: null, endCursor: null })),
  'jobs-none': buildDataCase(buildVariables('0'), buildSearch(0, null, null)),
};
