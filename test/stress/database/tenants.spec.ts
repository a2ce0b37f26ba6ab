import { stressTenants } from './tenants';

describe(stressTenants.name, () => {
  it('finds no row of the other and nothing half-written after 200 units of two tenants on one connection', async () => {
    const result = await stressTenants({ units: 200 });

    expect(result).toEqual({
      committed: 40,
      failed: 160,
      rowsOfTheOther: 0,
      halfWritten: 0,
      wronglyAudited: 0,
      leftOnConnection: 0,
    });
  }, 120_000);
});
