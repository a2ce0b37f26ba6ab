import { randomBytes } from 'node:crypto';
import { findContextProblems, type ParameterizedQuery } from '../../src/platform/database/schema/context-check';
import { createTestDatabase, type TestDatabase } from '../support/test-database';
import { testServices } from '../support/test-services';

describe('the check of the context key at start', () => {
  const key = (): Buffer => Buffer.from(testServices().contextKey, 'base64');
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.end());
  afterEach(() => jest.restoreAllMocks());

  const query: ParameterizedQuery = (sql, values) => database.query('app', sql, values);

  it('finds nothing with a key of the database', async () => {
    expect(await findContextProblems(query, key())).toEqual([]);
  });

  it('names a key that the database does not know', async () => {
    expect(await findContextProblems(query, randomBytes(32))).toEqual([
      'the database does not know the key that signs contexts: ' +
        'npm run migrate with the SECRET_KEY and CONTEXT_KEY of the server',
    ]);
  });

  it.each([
    ['ahead', 3_600_000],
    ['behind', -3_600_000],
  ])('names a clock that is %s', async (_, differenceMs) => {
    const now = Date.now.bind(Date);
    jest.spyOn(Date, 'now').mockImplementation(() => now() + differenceMs);

    expect(await findContextProblems(query, key())).toEqual([
      expect.stringMatching(/^the clocks of server and database differ by 3[56]\d\d s, .*: timedatectl set-ntp true/),
    ]);
  });
});
