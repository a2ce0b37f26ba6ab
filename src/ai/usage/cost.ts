import type { AiProviderName } from '../../platform/config/settings';

/** What a model charges, in USD for a million aiTokens, as its vendor writes it. */
export interface ModelPrice {
  readonly provider: AiProviderName;
  readonly model: string;
  readonly input: string;
  readonly output: string;
  /** Input the vendor had cached; the price of input where the vendor makes no difference. */
  readonly cachedInput: string;
  /** Input the vendor caches for later; the price of input where the vendor makes no difference. */
  readonly cacheWrite: string;
}

/**
 * The version of the list, kept with every call: what was charged by an older one stays what it was. Whoever runs an
 * installation compares the list with his vendors' pages; a change of a price or a model is a new version.
 */
export const PRICE_LIST_VERSION = '2026-11-01';

/** THE price list. A model that is not here is refused: without a price no budget holds. */
export const PRICE_LIST: readonly ModelPrice[] = [
  definePrice('openai', 'gpt-4', '30', '60'),
  definePrice('openai', 'gpt-4o', '2.50', '10', '1.25'),
  definePrice('openai', 'gpt-4o-mini', '0.15', '0.60', '0.075'),
  definePrice('openai', 'gpt-4.1', '2', '8', '0.50'),
  definePrice('openai', 'gpt-4.1-mini', '0.40', '1.60', '0.10'),
  definePrice('anthropic', 'claude-opus-4-5', '5', '25', '0.50', '6.25'),
  definePrice('anthropic', 'claude-sonnet-4-5', '3', '15', '0.30', '3.75'),
  definePrice('anthropic', 'claude-haiku-4-5', '1', '5', '0.10', '1.25'),
  definePrice('google', 'gemini-2.5-pro', '1.25', '10', '0.125'),
  definePrice('google', 'gemini-2.5-flash', '0.30', '2.50', '0.03'),
  definePrice('google', 'gemini-2.5-flash-lite', '0.10', '0.40', '0.01'),
];

/** Short names that stand for a vendor's configured model. */
export const MODEL_ALIASES: Readonly<Record<string, AiProviderName>> = {
  claude: 'anthropic',
  gemini: 'google',
  local: 'local',
};

/** Returns the price of a vendor's model, undefined when the list has none; a local server's models are free. */
export function findPrice(provider: AiProviderName, model: string): ModelPrice | undefined {
  if (provider === 'local') return definePrice('local', model, '0', '0');
  return PRICE_LIST.find((entry) => entry.provider === provider && entry.model === model);
}

function definePrice(
  provider: AiProviderName,
  model: string,
  input: string,
  output: string,
  cachedInput = input,
  cacheWrite = input,
): ModelPrice {
  return { provider, model, input, output, cachedInput, cacheWrite };
}

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
export function computeCost(usage: Usage, price: ModelPrice): PicoUsd {
  const { inputAiTokens, outputAiTokens, cachedAiTokens, cacheWriteAiTokens } = usage;
  const plain = Math.max(0, inputAiTokens - cachedAiTokens - cacheWriteAiTokens);
  return (
    BigInt(plain) * computePricePerAiToken(price.input) +
    BigInt(cachedAiTokens) * computePricePerAiToken(price.cachedInput) +
    BigInt(cacheWriteAiTokens) * computePricePerAiToken(price.cacheWrite) +
    BigInt(outputAiTokens) * computePricePerAiToken(price.output)
  );
}

/** Returns the most aiTokens a prompt can have. */
export function computeMaxInputAiTokens(prompt: string): number {
  return Buffer.byteLength(prompt) + FRAME_AI_TOKENS;
}

/**
 * Returns the most a call can cost: no aiToken is shorter than a byte, whatever the vendor's alphabet, and the frame its
 * protocol puts around a prompt is small; the output is bounded by the vendor.
 */
export function computeMaxCost(prompt: string, maxOutputAiTokens: number, price: ModelPrice): PicoUsd {
  const input = BigInt(computeMaxInputAiTokens(prompt));
  const dearest = [price.input, price.cachedInput, price.cacheWrite]
    .map(computePricePerAiToken)
    .reduce((a, b) => (a > b ? a : b));
  return input * dearest + BigInt(maxOutputAiTokens) * computePricePerAiToken(price.output);
}

/** Returns how many aiTokens a text has, roughly; for calls whose usage the vendor did not report. */
export function estimateAiTokens(text: string): number {
  return estimateAiTokensFromBytes(Buffer.byteLength(text));
}

/** Returns how many aiTokens a text of so many bytes has, roughly. */
export function estimateAiTokensFromBytes(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_AI_TOKEN);
}

/** The amount as a decimal string with 12 places, as numeric(24,12) takes it. */
export function formatUsd(amount: PicoUsd): string {
  return `${amount / PICO}.${String(amount % PICO).padStart(12, '0')}`;
}

/** The amount of a decimal string; places beyond the twelfth are not there. */
export function parseUsd(usd: string): PicoUsd {
  const [whole = '0', places = ''] = usd.split('.');
  return BigInt(whole) * PICO + BigInt(places.padEnd(12, '0').slice(0, 12));
}

/** "2.50" for a million is 2,500,000 pico for one. */
function computePricePerAiToken(usdPerMillion: string): PicoUsd {
  return parseUsd(usdPerMillion) / 1_000_000n;
}
