import { type TestDatabase, testDatabase } from '../support/postgres';
import { expectCheckedIn } from './checked-in';
import { readCatalog } from './read-catalog';

describe('the schema', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.end());

  it('is the one checked in as test/contract/catalog.json (npm run contract rewrites it)', async () => {
    expectCheckedIn('catalog.json', await readCatalog((sql) => database.query('app', sql)));
  });
});
