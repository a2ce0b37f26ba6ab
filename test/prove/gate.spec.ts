import { proveGate, tooDear, type GateOptions } from './gate';

const AT_MOST = 1.1;
const SMALL: GateOptions = { blocks: 12, unitsPerBlock: 120 };

/** Jest's wrapping of each module and the tests beside it only add: one measurement of so many has to be cheap enough. */
const ATTEMPTS = 3;

describe(proveGate.name, () => {
  it('costs at most a tenth more CPU than the same statements by hand, for a read, a create and a patch', async () => {
    let result = await proveGate(SMALL);
    for (let attempt = 1; attempt < ATTEMPTS && tooDear(result, AT_MOST); attempt++) result = await proveGate(SMALL);

    expect(tooDear(result, AT_MOST)).toBeUndefined();
    expect(Object.values(result).every(({ gateUs, handUs }) => gateUs > 0 && handUs > 0)).toBe(true);
    expect(tooDear(result, 0.01)).toContain('read costs');
  }, 240_000);
});
