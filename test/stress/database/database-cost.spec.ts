import {
  assertCostBelow,
  measureDatabaseCost,
  findTooExpensive,
  type DatabaseCost,
  type DatabaseCostResult,
} from './database-cost';

/** `npm run stress database-cost` measures the cost on a machine without other work; here it only has to run. */
const SMALL = { blocks: 2, unitsPerBlock: 16 };

describe(measureDatabaseCost.name, () => {
  it('measures a read, a create and a patch through Database and by hand', async () => {
    const result = await measureDatabaseCost(SMALL);

    expect(Object.keys(result)).toEqual(['read', 'create', 'patch']);
    for (const { productUs: gateUs, handWrittenUs: handUs, ratio, paired } of Object.values(result) as DatabaseCost[]) {
      for (const figure of [gateUs, handUs, ratio, ...paired]) expect(figure).toBeGreaterThan(0);
    }
  });
});

describe(assertCostBelow.name, () => {
  const cost = (ratio: number, median: number): DatabaseCost => ({
    productUs: 1,
    handWrittenUs: 1,
    ratio,
    paired: [median, 1, 1],
  });
  const cheap: DatabaseCostResult = { read: cost(1.1, 1.3), create: cost(1.3, 1.1), patch: cost(0.9, 0.9) };

  it('returns a result whose lower estimate of each unit is cheap enough', () => {
    expect(assertCostBelow(cheap, 1.1)).toBe(cheap);
  });

  it('names the first unit that is too expensive, and by how much', () => {
    const dear = { ...cheap, create: cost(1.2, 1.15) };

    expect(findTooExpensive(dear, 1.1)).toMatch(/^a create costs 1.15 times the work by hand: \{/);
    expect(() => assertCostBelow(dear, 1.1)).toThrow('a create costs 1.15 times');
  });
});
