import type { ModelPrice } from './price-list';

/** What one call used, in aiTokens. */
export interface Usage {
  /** All input, cached or not. */
  readonly inputAiTokens: number;
  readonly outputAiTokens: number;
  /** The part of the input that came from the vendor's cache. */
  readonly cachedAiTokens: number;
  /** The part of the input the vendor put into its cache. */
  readonly cacheWriteAiTokens: number;
}

/** Nothing used. */
export const NO_USAGE: Usage = { inputAiTokens: 0, outputAiTokens: 0, cachedAiTokens: 0, cacheWriteAiTokens: 0 };

/** USD in 10^-12: a price for a million aiTokens with up to six decimals is whole in it, so sums are exact. */
export type PicoUsd = bigint;

const PICO = 1_000_000_000_000n;

/** Room for what a vendor's protocol puts around a prompt. */
const FRAME_AI_TOKENS = 256;

/** How long an aiToken of English is on average; only used where the vendor reported nothing. */
const BYTES_PER_AI_TOKEN = 4;

/** Returns what a call costs by the price list, exactly. */
export function costOf(usage: Usage, price: ModelPrice): PicoUsd {
  const { inputAiTokens, outputAiTokens, cachedAiTokens, cacheWriteAiTokens } = usage;
  const plain = Math.max(0, inputAiTokens - cachedAiTokens - cacheWriteAiTokens);
  return (
    BigInt(plain) * perAiToken(price.input) +
    BigInt(cachedAiTokens) * perAiToken(price.cachedInput) +
    BigInt(cacheWriteAiTokens) * perAiToken(price.cacheWrite) +
    BigInt(outputAiTokens) * perAiToken(price.output)
  );
}

/** Returns the most aiTokens a prompt can have. */
export function maxInputAiTokens(prompt: string): number {
  return Buffer.byteLength(prompt) + FRAME_AI_TOKENS;
}

/**
 * Returns the most a call can cost: no aiToken is shorter than a byte, whatever the vendor's alphabet, and the frame its
 * protocol puts around a prompt is small; the output is bounded by the vendor.
 */
export function worstCostOf(prompt: string, maxOutputAiTokens: number, price: ModelPrice): PicoUsd {
  const input = BigInt(maxInputAiTokens(prompt));
  const dearest = [price.input, price.cachedInput, price.cacheWrite].map(perAiToken).reduce((a, b) => (a > b ? a : b));
  return input * dearest + BigInt(maxOutputAiTokens) * perAiToken(price.output);
}

/** Returns how many aiTokens a text has, roughly; for calls whose usage the vendor did not report. */
export function estimatedAiTokens(text: string): number {
  return estimatedFromBytes(Buffer.byteLength(text));
}

/** Returns how many aiTokens a text of so many bytes has, roughly. */
export function estimatedFromBytes(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_AI_TOKEN);
}

/** The amount as a decimal string with 12 places, as numeric(24,12) takes it. */
export function toUsd(amount: PicoUsd): string {
  return `${amount / PICO}.${String(amount % PICO).padStart(12, '0')}`;
}

/** The amount of a decimal string; places beyond the twelfth are not there. */
export function fromUsd(usd: string): PicoUsd {
  const [whole = '0', places = ''] = usd.split('.');
  return BigInt(whole) * PICO + BigInt(places.padEnd(12, '0').slice(0, 12));
}

/** "2.50" for a million is 2,500,000 pico for one. */
function perAiToken(usdPerMillion: string): PicoUsd {
  return fromUsd(usdPerMillion) / 1_000_000n;
}
