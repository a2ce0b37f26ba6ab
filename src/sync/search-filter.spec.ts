import { buildSearchFilter, type SearchFields } from './search-filter';

const OPEN: SearchFields = {
  query: 'sql',
  jobType: null,
  experienceLevel: null,
  workload: null,
  budgetMin: null,
  budgetMax: null,
  hourlyRateMin: null,
  hourlyRateMax: null,
  clientHiresMin: null,
  clientHiresMax: null,
  applicantsMin: null,
  applicantsMax: null,
  paymentVerifiedOnly: false,
  previousClientsOnly: false,
  locations: [],
};

describe(buildSearchFilter.name, () => {
  it('has only the query when the search leaves everything else open', () => {
    expect(buildSearchFilter(OPEN)).toEqual({ searchExpression_eq: 'sql' });
  });

  it.each<[Partial<SearchFields>, object]>([
    [{ jobType: 'hourly' }, { jobType_eq: 'HOURLY' }],
    [{ jobType: 'fixed' }, { jobType_eq: 'FIXED' }],
    [{ experienceLevel: 'entry' }, { experienceLevel_eq: 'ENTRY_LEVEL' }],
    [{ experienceLevel: 'expert' }, { experienceLevel_eq: 'EXPERT' }],
    [{ workload: 'part_time' }, { workload_eq: 'PART_TIME' }],
    [{ budgetMin: 0, budgetMax: 900 }, { budgetRange_eq: { rangeStart: 0, rangeEnd: 900 } }],
    [{ hourlyRateMin: 40 }, { hourlyRate_eq: { rangeStart: 40 } }],
    [{ clientHiresMax: 0 }, { clientHiresRange_eq: { rangeEnd: 0 } }],
    [{ applicantsMin: 5, applicantsMax: 20 }, { proposalRange_eq: { rangeStart: 5, rangeEnd: 20 } }],
    [{ paymentVerifiedOnly: true }, { verifiedPaymentOnly_eq: true }],
    [{ previousClientsOnly: true }, { previousClients_eq: true }],
    [{ locations: ['Germany'] }, { locations_any: ['Germany'] }],
  ])('maps %j', (fields, expected) => {
    expect(buildSearchFilter({ ...OPEN, ...fields })).toEqual({ searchExpression_eq: 'sql', ...expected });
  });
});
