import { stressTenants } from './tenants';

describe(stressTenants.name, () => {
  it('isolates two tenants and leaves no partial write after 200 units on one connection', async () => {
    const result = await stressTenants({ units: 200 });

    expect(result).toEqual({
      committed: 40,
      failed: 160,
      rowsOfTheOther: 0,
      halfWritten: 0,
      wronglyAudited: 0,
      leftOnConnection: 0,
    });
  });
});
