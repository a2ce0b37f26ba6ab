import { UpworkError } from '../upwork/upwork.error';

/** One page of a GraphQL connection. */
export interface NodePage<Node> {
  readonly nodes: readonly Node[];
  /** How many nodes more there are that cannot be read. */
  readonly unreadable: number;
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor?: string | null };
}

/** Reads page after page, at most `maxPages`; a cursor that does not move ends it as an error, not as a loop. */
export async function* pagesOf<Node>(
  maxPages: number,
  read: (after: string | null) => Promise<NodePage<Node>>,
): AsyncGenerator<NodePage<Node>> {
  let after: string | null = null;
  for (let n = 0; n < maxPages; n++) {
    const page: NodePage<Node> = await read(after);
    yield page;
    const { pageInfo } = page;
    if (!pageInfo.hasNextPage) return;
    const next: string | null = pageInfo.endCursor ?? null;
    if (next === null || next === after) throw new UpworkError('unusable', "Upwork's pages do not go on");
    after = next;
  }
}
