import { type TestDatabase, createTestDatabase } from '../support/test-database';
import { expectCheckedIn } from './checked-in';
import { readCatalog } from './read-catalog';

describe('the schema', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.end());

  it('equals test/contract/catalog.json (npm run contract rewrites it)', async () => {
    expectCheckedIn('catalog.json', await readCatalog((sql) => database.query('app', sql)));
  });
});
