import { UpworkError } from '../upwork/upwork.error';

/** One page of a GraphQL connection. */
export interface NodePage<Node> {
  readonly edges: readonly { readonly node: Node }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor?: string | null };
}

/** Reads page after page, at most `maxPages`; a cursor that does not move ends it as an error, not as a loop. */
export async function* pagesOf<Node>(
  maxPages: number,
  read: (after: string | null) => Promise<NodePage<Node>>,
): AsyncGenerator<readonly Node[]> {
  let after: string | null = null;
  for (let n = 0; n < maxPages; n++) {
    const { edges, pageInfo }: NodePage<Node> = await read(after);
    yield edges.map(({ node }) => node);
    if (!pageInfo.hasNextPage) return;
    const next: string | null = pageInfo.endCursor ?? null;
    if (next === null || next === after) throw new UpworkError('unusable', "Upwork's pages do not go on");
    after = next;
  }
}
