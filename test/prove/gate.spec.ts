import { assertCheap, proveGate } from './gate';

/**
 * `npm run prove gate` asserts 1.1, in a process of its own. Here jest wraps every module, which costs the gate's many more
 * than the few of the code by hand, and other tests run beside it; what this finds is a gate that has become slow.
 */
const AT_MOST = 1.5;

describe(proveGate.name, () => {
  it('costs little more CPU than the same statements by hand, for a read, a create and a patch', async () => {
    const result = await proveGate({ blocks: 12, unitsPerBlock: 120 });

    expect(() => assertCheap(result, AT_MOST)).not.toThrow();
    expect(Object.values(result).every(({ gateUs, handUs }) => gateUs > 0 && handUs > 0)).toBe(true);
    expect(() => assertCheap(result, 0.01)).toThrow('read costs');
  }, 120_000);
});
