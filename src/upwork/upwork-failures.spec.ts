import { buildTestConfig } from '../../test/support/test-config';
import { FAILURE_CASES } from '../demo/fake-upwork/cases/failure-cases';
import type { FakeCase } from '../demo/fake-upwork/cases/fake-case';
import { FakeUpwork } from '../demo/fake-upwork/fake-upwork';
import { SEARCH_JOBS } from './documents/jobs.documents';
import { parseResponse, readAnswer } from './upwork-answers';
import { UpworkOAuthService } from './upwork-oauth.service';
import { UpworkError } from './upwork.error';

/** The fields of an error that decide what happens next. */
type Failure = Partial<Pick<UpworkError, 'kind' | 'permission' | 'retryAfterMs'>>;

/** What each failure of the GraphQL endpoint is to the caller. */
const GRAPHQL: Readonly<Partial<Record<keyof typeof FAILURE_CASES, Failure>>> = {
  'dead-access-token': { kind: 'refused' },
  'token-refused-inside-an-answer': { kind: 'refused' },
  'unknown-document': { kind: 'document_refused' },
  'permission-missing': { kind: 'permission_missing', permission: 'VendorProposalsConnection.edges' },
  'page-too-large': { kind: 'unusable' },
  'failure-as-an-answer': { kind: 'unavailable' },
  'timeout-as-an-answer': { kind: 'unavailable' },
  'too-many-calls': { kind: 'limited', retryAfterMs: undefined },
  'too-many-calls-with-retry-after': { kind: 'limited', retryAfterMs: 30_000 },
  proxy: { kind: 'unavailable' },
  outage: { kind: 'unavailable' },
};

/** What each answer of the token endpoint is to the caller: tokens or a failure. */
const TOKENS: Readonly<Partial<Record<keyof typeof FAILURE_CASES, object>>> = {
  'token-pair': { refreshToken: expect.stringMatching(/b$/), scopes: undefined },
  'access-token-alone': { refreshToken: undefined, scopes: undefined },
  'void-refresh-token': { kind: 'refused' },
  // The operator's fault: the connection fails and is tried again.
  'application-refused': { kind: 'unusable' },
};

function read({ status, headers, body }: FakeCase): unknown {
  const text = typeof body === 'string' || body === null ? (body ?? '') : JSON.stringify(body);
  return readAnswer(SEARCH_JOBS, parseResponse('SearchJobs', new Response(text, { status, headers }), text));
}

function readGraphql(errors: object[], data: unknown = null): unknown {
  const headers = { 'content-type': 'application/json' };
  return read({ endpoint: 'graphql', status: 200, headers, body: { errors, data } });
}

function catchFailure(work: () => unknown): UpworkError {
  try {
    work();
  } catch (error) {
    if (error instanceof UpworkError) return error;
  }
  throw new Error('the answer was accepted');
}

const SEARCH_DATA = { marketplaceJobPostingsSearch: { edges: [null], pageInfo: null } };

describe('failures of Upwork', () => {
  it('are each in a table', () => {
    expect([...Object.keys(GRAPHQL), ...Object.keys(TOKENS)].sort()).toEqual(Object.keys(FAILURE_CASES).sort());
  });

  it.each(Object.entries(GRAPHQL))('of the API have their kind: %s', (name, failure) => {
    expect(catchFailure(() => read(FAILURE_CASES[name as keyof typeof FAILURE_CASES]))).toMatchObject(failure);
  });

  it.each(Object.entries(TOKENS))('of the token endpoint have their kind: %s', async (name, result) => {
    const fake = await new FakeUpwork().start();
    fake.cases.serve(name);

    const answer = await new UpworkOAuthService(buildTestConfig(fake.settings)).refresh('r').catch((e: unknown) => e);

    await fake.stop();
    expect(answer).toMatchObject(result);
  });

  it('are no failure of a token when a proxy answers in its place', async () => {
    const fake = await new FakeUpwork().start();
    fake.faults.schedule('token', 'proxy');

    const refresh = new UpworkOAuthService(buildTestConfig(fake.settings)).refresh('r');

    await expect(refresh).rejects.toMatchObject({ kind: 'unavailable' });
    await fake.stop();
  });

  it.each([
    ['unusable', 'Something else', undefined],
    ['unavailable', 'Service temporarily unavailable', 'DataFetchingException'],
    ['limited', 'Too many requests', undefined],
    ['document_refused', 'Invalid syntax with offending token', 'InvalidSyntax'],
    // A text of the user does not decide when the classification does.
    ['document_refused', "Validation error: argument 'invalid token, scopes, timeout'", 'ValidationError'],
  ])('are %s for the words "%s"', (kind, message, classification) => {
    const error = { message, extensions: { classification } };

    expect(catchFailure(() => readGraphql([error]))).toMatchObject({ kind });
  });

  it('are decided by the most severe of several errors', () => {
    const errors = [{ message: 'Transform timeout' }, { message: 'Invalid token provided' }, { message: 'x' }];

    expect(catchFailure(() => readGraphql(errors)).kind).toBe('refused');
  });

  it('are partial answers beside data, with the permissions that are missing', () => {
    const message = 'not enough oauth2 permissions/scopes to access: [Room.vendorProposal]';

    expect(readGraphql([{ message }, { message }, { message: 'null' }], SEARCH_DATA)).toMatchObject({
      isPartial: true,
      missingPermissions: ['Room.vendorProposal'],
      data: { marketplaceJobPostingsSearch: { unreadable: 1 } },
    });
  });

  it.each(['Unauthorized', 'Validation error in the input'])('of a path are partial answers, also "%s"', (message) => {
    const error = { message, path: ['marketplaceJobPostingsSearch', 'edges', 0, 'node'] };

    expect(readGraphql([error], SEARCH_DATA)).toMatchObject({ isPartial: true, isWorthRepeating: true });
    expect(catchFailure(() => readGraphql([error], { marketplaceJobPostingsSearch: null })).kind).toBe('unusable');
  });

  it('of a path without data concern the token', () => {
    expect(catchFailure(() => readGraphql([{ message: 'Unauthorized', path: ['a'] }])).kind).toBe('refused');
  });

  it('name a permission once for all nodes, and no call is worth repeating for it', () => {
    const message = "doesn't have enough oauth2 permissions/scopes";
    const errors = Array.from({ length: 50 }, (_, n) => ({ message, path: ['roomList', 'edges', n, 'node', 'topic'] }));

    expect(readGraphql(errors, SEARCH_DATA)).toMatchObject({
      isWorthRepeating: false,
      missingPermissions: ['roomList.edges.node.topic'],
    });
  });

  it.each([
    ['refused', 'Invalid token provided', SEARCH_DATA],
    ['unavailable', 'Transform timeout', { marketplaceJobPostingsSearch: { edges: null, pageInfo: null } }],
    ['unavailable', 'Transform timeout', { marketplaceJobPostingsSearch: 7 }],
  ])('are failures (%s) beside data that is void, empty or invalid', (kind, message, data) => {
    expect(catchFailure(() => readGraphql([{ message }], data)).kind).toBe(kind);
  });

  it('name no text of an error that could be a text of the user', () => {
    expect(catchFailure(() => readGraphql([{ message: 'my secret letter', path: ['a', 0] }])).message).toBe(
      'SearchJobs: Upwork reports an error at a.0',
    );
  });
});
