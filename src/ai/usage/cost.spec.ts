import fc from 'fast-check';
import { computeCost, computeMaxCost, formatUsd, NO_USAGE, parseUsd, PRICE_LIST } from './cost';

describe('the cost of a call', () => {
  it('is exact to 12 decimals', () => {
    const price = PRICE_LIST.find(({ model }) => model === 'gpt-4o-mini')!;

    expect(formatUsd(computeCost({ ...NO_USAGE, inputAiTokens: 1 }, price))).toBe('0.000000150000');
    expect(
      formatUsd(computeCost({ ...NO_USAGE, inputAiTokens: 10, cachedAiTokens: 4, outputAiTokens: 3 }, price)),
    ).toBe('0.000003000000');
  });

  it('has prices that are whole multiples of 10^-12 USD per aiToken', () => {
    for (const price of PRICE_LIST) {
      for (const usd of [price.input, price.output, price.cachedInput, price.cacheWrite])
        expect(usd).toMatch(/^\d+(\.\d{1,6})?$/);
    }
  });

  it('never exceeds the maximum: no aiToken is shorter than a byte', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...PRICE_LIST),
        fc.string({ unit: 'binary' }),
        fc.nat(5_000),
        fc.nat(100),
        fc.nat(100),
        (price, prompt, output, cached, cacheWrite) => {
          const inputAiTokens = Buffer.byteLength(prompt);
          const share = {
            cachedAiTokens: Math.floor((inputAiTokens * cached) / 200),
            cacheWriteAiTokens: Math.floor((inputAiTokens * cacheWrite) / 200),
          };

          expect(
            computeCost({ inputAiTokens, outputAiTokens: output, ...share }, price) <=
              computeMaxCost(prompt, output, price),
          ).toBe(true);
        },
      ),
    );
  });

  it('survives the conversion to a decimal string and back', () => {
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: 10n ** 20n }), (amount) => parseUsd(formatUsd(amount)) === amount));
  });
});
