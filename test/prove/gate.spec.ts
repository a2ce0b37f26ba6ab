import { proveGate, type GateCost } from './gate';

/** Of what the same statements cost by hand. */
const AT_MOST = 1.1;

describe(proveGate.name, () => {
  it('costs no more CPU than the same statements by hand, for a read, a create and a patch', async () => {
    const { read, create, patch } = await proveGate({ blocks: 15, unitsPerBlock: 160 });

    // Two estimates of one thing; what else runs on the machine only raises them.
    const tooDear = Object.entries({ read, create, patch }).filter(([, { ratio, paired }]: [string, GateCost]) => Math.min(ratio, paired[0]) > AT_MOST);
    expect(tooDear).toEqual([]);
    expect([read, create, patch].every(({ gateUs, handUs }) => gateUs > 0 && handUs > 0)).toBe(true);
  }, 120_000);
});
