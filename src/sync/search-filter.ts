import { buildSelectList } from '../platform/database/base.entity';
import { SavedSearch } from '../saved-searches/saved-search.entity';

/** Fields of a saved search that Upwork's search takes. */
const FIELDS = [
  ...(['query', 'jobType', 'experienceLevel', 'workload', 'budgetMin', 'budgetMax', 'hourlyRateMin'] as const),
  ...(['hourlyRateMax', 'clientHiresMin', 'clientHiresMax', 'applicantsMin', 'applicantsMax'] as const),
  ...(['paymentVerifiedOnly', 'previousClientsOnly', 'locations'] as const),
];

/** The part of a saved search that Upwork's search takes. */
export type SearchFields = Pick<SavedSearch, (typeof FIELDS)[number]>;

/** Columns of SearchFields. */
export const SEARCH_COLUMNS = buildSelectList(SavedSearch, FIELDS);

const EXPERIENCE_LEVELS = { entry: 'ENTRY_LEVEL', intermediate: 'INTERMEDIATE', expert: 'EXPERT' } as const;

/** A filter of Upwork's search, without its page. */
type SearchFilter = Readonly<Record<string, unknown>>;

/** Maps a saved search to the filter of Upwork's search. What the search leaves open is not in the filter. */
export function buildSearchFilter(search: SearchFields): SearchFilter {
  const { query, jobType, experienceLevel, workload, locations } = search;
  return omitOpen({
    searchExpression_eq: query,
    jobType_eq: jobType?.toUpperCase(),
    experienceLevel_eq: experienceLevel && EXPERIENCE_LEVELS[experienceLevel],
    workload_eq: workload?.toUpperCase(),
    budgetRange_eq: buildRange(search.budgetMin, search.budgetMax),
    hourlyRate_eq: buildRange(search.hourlyRateMin, search.hourlyRateMax),
    clientHiresRange_eq: buildRange(search.clientHiresMin, search.clientHiresMax),
    proposalRange_eq: buildRange(search.applicantsMin, search.applicantsMax),
    verifiedPaymentOnly_eq: search.paymentVerifiedOnly || null,
    previousClients_eq: search.previousClientsOnly || null,
    locations_any: locations.length > 0 ? locations : null,
  });
}

function buildRange(rangeStart: number | null, rangeEnd: number | null): SearchFilter | null {
  const range = omitOpen({ rangeStart, rangeEnd });
  return Object.keys(range).length > 0 ? range : null;
}

function omitOpen(filter: SearchFilter): SearchFilter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== null && value !== undefined));
}
