import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { z } from 'zod';
import type { FakeCase } from '../../src/demo/fake-upwork/cases/fake-case';
import { FAKE_CASES } from '../../src/demo/fake-upwork/fake-cases';
import { FAKE_SCHEMA, listRootFields, type FakeAnswer, type FakeData } from '../../src/demo/fake-upwork/fake-schema';
import { FakeUpwork } from '../../src/demo/fake-upwork/fake-upwork';
import type { UpworkDocument } from '../../src/upwork/documents/upwork-document';
import { Caller } from '../support/caller';
import { buildMutants } from '../support/document-mutants';
import { buildFullAnswer, buildNullVariants } from '../support/schema-answers';

type AnyDocument = UpworkDocument<z.ZodType>;

const FOLDER = resolve(__dirname, '..', '..', 'src', 'upwork', 'documents');

/** Every document in the folder, so that a new one is tested too. */
const DOCUMENTS = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.documents.ts'))
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the files are listed while the test runs
  .flatMap((file) => Object.values(require(join(FOLDER, file)) as Record<string, unknown>))
  .filter((value): value is AnyDocument => typeof value === 'object' && value !== null && 'text' in value);

/** Variables with which an operation is called. */
const VARIABLES: Readonly<Record<string, object>> = {
  CompanySelector: {},
  CurrentUser: {},
  SearchJobs: { filter: { searchExpression_eq: 'sql', jobType_eq: 'FIXED', pagination_eq: { after: '0', first: 50 } } },
  JobDetails: { id: '1991400000000000001' },
  VendorProposals: { status: 'Accepted', pagination: { first: 20 } },
  Rooms: { filter: { activeSince_eq: '2026-11-01T00:00:00.000Z' }, pagination: { first: 50 } },
  SendMessage: { input: { roomId: 'room_1', message: 'On Monday.' } },
  RoomStories: { filter: { roomId_eq: 'room_1', storyFilter: { pagination: { after: '50', first: 50 } } } },
};

describe('the documents for Upwork', () => {
  let upwork: FakeUpwork;
  let caller: Caller;

  beforeAll(async () => {
    upwork = await new FakeUpwork().start();
    upwork.limitPerSecond = Infinity;
    const { marketplace } = upwork;
    const proposal = marketplace.submit('freelancer', marketplace.publish({ title: 'A job' }).id, 'Hello', '10.00');
    marketplace.writeMessage(proposal.id, 'client', 'When can you start?');
    Object.assign(marketplace.rooms[0]!, { id: 'room_1' });
    caller = new Caller(upwork.url, upwork.grants.issueTokens().accessToken);
  });
  afterAll(() => upwork.stop());

  async function send(
    operationName: string,
    query: string,
    variables: object | undefined = VARIABLES[operationName],
  ): Promise<FakeAnswer<unknown>> {
    const { status, body } = await caller.post<FakeAnswer<unknown>>('/graphql', { operationName, query, variables });
    expect(status).toBe(200);
    return body;
  }

  it.each(DOCUMENTS.map((document) => [document.name, document] as const))(
    '%s fits the schema, and its answer can be read',
    async (name, document) => {
      const answer = await send(name, document.text);

      expect(answer).toEqual({ data: expect.any(Object) });
      expect(document.data.safeParse(answer.data)).toMatchObject({ success: true });
    },
  );

  const cases = Object.entries<FakeCase>(FAKE_CASES).flatMap(([name, { field, variables }]) =>
    DOCUMENTS.filter(({ text }) => field !== undefined && listRootFields(text).includes(field)).map(
      (document) => [name, { document, variables }] as const,
    ),
  );

  it.each(cases)('read the answer %s', async (name, { document, variables }) => {
    upwork.cases.serve(name);

    const { data, errors = [] } = await send(document.name, document.text, variables);

    expect(document.data.safeParse(data)).toMatchObject({ success: true });
    expect(errors).toHaveLength(name.endsWith('-partial') || name.endsWith('-no-scope') ? 1 : 0);
  });

  it.each([
    ['no status', 'query ($p: Pagination!) { vendorProposals(filter: {}, SORT, pagination: $p) { totalCount } }'],
    ['an optional page', 'query ($p: Pagination) { vendorProposals(FILTER, SORT, pagination: $p) { totalCount } }'],
    [
      'an instant as a value',
      '{ vendorProposals(FILTER, SORT, PAGE) { edges { node { auditDetails { createdDateTime } } } } }',
    ],
    [
      'a page of stories',
      'query ($p: Pagination) { roomStories(filter: { roomId_eq: "1" }, pagination: $p) { totalCount } }',
    ],
  ])('of earlier versions are refused: %s', async (_, text) => {
    const query = text
      .replace('FILTER', 'filter: { status_eq: Accepted }')
      .replace('PAGE', 'pagination: { first: 20 }')
      .replace('SORT', 'sortAttribute: { field: CREATEDDATETIME, sortOrder: DESC }');

    const { data, errors } = await send('', query);

    expect([data, errors?.map(({ extensions }) => extensions.classification)]).toEqual([null, ['ValidationError']]);
  });

  it.each(DOCUMENTS.map((document) => [document.name, document] as const))(
    '%s can be read wherever the schema allows null',
    (name, { text, data: schema }) => {
      const countNodes = (data: unknown) => {
        const connection = Object.values(schema.safeParse(data).data ?? {})[0] as { nodes?: unknown[] } | null;
        return connection?.nodes?.length ?? 0;
      };
      const full = countNodes(buildFullAnswer(FAKE_SCHEMA, text));

      const unread = buildNullVariants(FAKE_SCHEMA, text).filter(({ where, data }) => {
        const isNodeMissing = /^\w+(\.edges(\.0(\.node)?)?)?$/.test(where);
        return !schema.safeParse(data).success || countNodes(data) !== (isNodeMissing ? 0 : full);
      });

      // Without its user a connection cannot be used.
      expect(unread.map(({ where }) => where)).toEqual(name === 'CurrentUser' ? ['user'] : []);
    },
  );

  it.each([
    ['SearchJobs', ['id', 'title']],
    ['VendorProposals', ['id', 'user', 'marketplaceJobPosting', 'auditDetails', 'status']],
    ['Rooms', ['id']],
    ['RoomStories', ['id', 'createdDateTime']],
  ])('%s needs of a node only what identifies it, although the schema requires more', (name, required) => {
    const { text, data: schema } = DOCUMENTS.find((document) => document.name === name)!;
    const [[list, page]] = Object.entries(buildFullAnswer(FAKE_SCHEMA, text)) as [[string, FakeData[string]]];
    const node = page.edges[0]!.node!;
    const isRead = (fields: object) => {
      const edges = [{ node: { ...node, ...fields } }];
      return (schema.parse({ [list]: { edges } }) as Record<string, { nodes: unknown[] }>)[list]!.nodes.length === 1;
    };

    const needed = Object.keys(node).filter((field) => ![null, {}, [{}]].every((value) => isRead({ [field]: value })));

    expect(needed).toEqual(required);
  });

  it('are refused after any change of a name, a type, an argument or a selection', async () => {
    const mutants = DOCUMENTS.flatMap(({ name, text }) => buildMutants(text).map((mutant) => ({ name, ...mutant })));
    const accepted: string[] = [];
    for (const { name, change, text } of mutants) {
      const { data, errors } = await send(name, text);
      const isRefused = data === null && errors?.every((each) => each.extensions.classification === 'ValidationError');
      if (!isRefused) accepted.push(`${name}, ${change}`);
    }

    expect(accepted).toEqual([]);
    expect(mutants.length).toBeGreaterThanOrEqual(50);
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(DOCUMENTS.length);
    const kinds = [...new Set(mutants.map(({ change }) => change.split(':', 1)[0]))];
    expect(kinds.sort()).toEqual([
      'argument moved down',
      'argument moved up',
      'argument renamed',
      'enum word changed',
      'field renamed',
      'fields of a value added',
      'fields of an object removed',
      'input field renamed',
      'type changed',
      'type changed to a list',
      'type made nullable',
    ]);
  });
});
