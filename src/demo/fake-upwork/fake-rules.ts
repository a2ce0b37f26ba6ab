import { buildError } from './fake-schema';

/** The arguments of a page. */
export interface PageRequest {
  readonly first: number;
  readonly after?: string | null;
}

/** Page of a connection. Any part of it may be null. */
export interface FakeConnection {
  readonly totalCount: number;
  readonly edges: readonly { readonly cursor: string; readonly node: unknown }[] | null;
  readonly pageInfo: { readonly hasNextPage: boolean | null; readonly endCursor: string | null } | null;
}

/** Upwork refuses larger pages of proposals. */
const MAX_PROPOSALS_PER_PAGE = 20;

/** Builds the node of an item. Called only for the items of a page. */
type NodeBuilder<Item> = (item: Item) => object;

/** A search ends here, however many jobs match. */
const MAX_SEARCH_RESULTS = 5_000;

/**
 * Statuses of the proposals in each list. The lists overlap: three of them contain open proposals too, so only the
 * status of the proposal itself is reliable.
 */
const STATUSES_BY_LIST: Readonly<Record<string, readonly string[]>> = {
  Activated: ['Activated'],
  Archived: ['Archived'],
  Declined: ['Declined', 'Rejected', 'Accepted'],
  Hired: ['Hired', 'Accepted'],
  Offered: ['Offered'],
  Pending: ['Pending', 'Invalid', 'Created'],
  Withdrawn: ['Withdrawn', 'Replaced', 'Accepted'],
};

const LISTED_ELSEWHERE = new Set(Object.values(STATUSES_BY_LIST).flat());

/** Returns whether a list contains proposals of a status. Unknown statuses are in the list of open proposals. */
export function isListed(list: string, status: string): boolean {
  if (list === 'Accepted') return status === 'Accepted' || !LISTED_ELSEWHERE.has(status);
  return STATUSES_BY_LIST[list]?.includes(status) ?? false;
}

/** Returns a page of a search. `after` counts jobs; the first page needs "0". Without results all parts are null. */
export function pageSearch<Item>(
  items: readonly Item[],
  page: PageRequest | null | undefined,
  buildNode: NodeBuilder<Item>,
): FakeConnection {
  if (!page || !/^\d+$/.test(page.after ?? '')) throw buildError('500: Exception occurred');
  const found = items.slice(0, MAX_SEARCH_RESULTS);
  if (found.length === 0) return { totalCount: 0, edges: null, pageInfo: null };
  const from = Number(page.after);
  const edges = takeEdges(found, from, page.first, buildNode);
  const end = from + edges.length;
  const pageInfo = { hasNextPage: end < found.length, endCursor: String(end) };
  return {
    totalCount: found.length,
    edges,
    pageInfo: edges.length === 0 ? { hasNextPage: null, endCursor: null } : pageInfo,
  };
}

/** Returns a page of proposals: at most 20, and `after` is absent or a cursor of an earlier page. */
export function pageProposals<Item>(
  items: readonly Item[],
  { first, after }: PageRequest,
  buildNode: NodeBuilder<Item>,
): FakeConnection {
  const from = after === null || after === undefined ? 0 : readProposalCursor(after);
  if (first > MAX_PROPOSALS_PER_PAGE || from === undefined) {
    throw buildError('VJCA-6 Input parameter provided has incorrect value');
  }
  const edges = takeEdges(items, from, first, buildNode);
  const end = from + edges.length;
  const hasNextPage = end < items.length;
  return {
    totalCount: items.length,
    edges,
    pageInfo: { hasNextPage, endCursor: hasNextPage ? buildProposalCursor(end) : null },
  };
}

/**
 * Returns a page of rooms or stories. Upwork does not say that the last page is the last, and its cursor does not move:
 * a reader ends at an empty page or at a cursor it has already used.
 */
export function pageConversations<Item>(
  items: readonly Item[],
  page: PageRequest | null | undefined,
  buildNode: NodeBuilder<Item>,
): FakeConnection {
  const { first, after } = page ?? { first: 20 };
  const from = Number(after ?? 0) || 0;
  const edges = takeEdges(items, from, first, buildNode);
  const end = from + edges.length;
  return {
    totalCount: items.length,
    edges,
    pageInfo: { hasNextPage: end < items.length ? true : null, endCursor: String(end) },
  };
}

function takeEdges<Item>(items: readonly Item[], from: number, first: number, buildNode: NodeBuilder<Item>) {
  return items
    .slice(from, from + first)
    .map((item, index) => ({ cursor: String(from + index + 1), node: buildNode(item) }));
}

function buildProposalCursor(offset: number): string {
  return Buffer.from(JSON.stringify({ o: offset })).toString('base64');
}

function readProposalCursor(cursor: string): number | undefined {
  const offset = /^\{"o":(\d+)\}$/.exec(Buffer.from(cursor, 'base64').toString('latin1'))?.[1];
  return offset === undefined ? undefined : Number(offset);
}
