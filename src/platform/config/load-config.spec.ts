import { removeClientVariables } from './load-config';

describe(removeClientVariables.name, () => {
  it('removes the variables of PostgreSQL clients and no others', () => {
    const environment = {
      PGSSLMODE: 'require',
      PGHOST: 'db.invalid',
      PGPASSWORD: 'x',
      PGSERVICEFILE: '/x',
      PGOPTIONS: '-c x=y',
      NODE_PG_FORCE_NATIVE: '1',
      PG: 'a page',
      DATABASE_URL: 'postgres://x?sslmode=require',
      PATH: '/bin',
    };

    removeClientVariables(environment);

    expect(environment).toEqual({ PG: 'a page', DATABASE_URL: 'postgres://x?sslmode=require', PATH: '/bin' });
  });
});
