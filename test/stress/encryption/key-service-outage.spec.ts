import { stressKeyServiceOutage } from './key-service-outage';
import { findTexts } from './plain-key-search';

describe(stressKeyServiceOutage.name, () => {
  it.each(['vault', 'aws'] as const)(
    'of %s stops only requests that need it, all of which recover, and no plain key is stored or logged',
    async (service) => {
      const { outages, found, overlooked, dataKeys } = await stressKeyServiceOutage({ service, clients: 3 });

      expect(outages.map(({ outage }) => outage)).toEqual(['down', 'silent', 'throttling', 'failing']);
      for (const report of outages) {
        expect(report).toMatchObject({ failed: 0, wrong: 0, recovered: 6 });
        expect(report.served).toBeGreaterThanOrEqual(18);
        expect(report.refused).toBeGreaterThanOrEqual(18);
      }
      expect(dataKeys).toBeGreaterThanOrEqual(4 * 9);
      expect({ found, overlooked }).toEqual({ found: [], overlooked: [] });
    },
  );
});

describe(findTexts.name, () => {
  it('finds texts at every place, also in each other', () => {
    const [all, inner, last, missing] = ['abcdefgh', 'cdef', 'efgh', 'efgi'].map((text) => Buffer.from(text));

    expect(findTexts(all!, [all!, inner!, last!, missing!])).toEqual([all, inner, last]);
    expect(
      findTexts(Buffer.from([0xff, 0xfe, 0xfd, 0xfc, 0xfb]), [Buffer.from([0xfe, 0xfd, 0xfc, 0xfb])]),
    ).toHaveLength(1);
    expect(findTexts(Buffer.from('abc'), [inner!])).toEqual([]);
  });
});
