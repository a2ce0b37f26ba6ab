import type { AiProviderName } from '../../platform/config/settings';

/** Price of a model in USD per million aiTokens, as its provider publishes it. */
export interface ModelPrice {
  readonly provider: AiProviderName;
  readonly model: string;
  readonly input: string;
  readonly output: string;
  /** Price of cached input; equal to `input` when the provider has no separate price. */
  readonly cachedInput: string;
  /** Price of input written to the cache; equal to `input` when the provider has no separate price. */
  readonly cacheWrite: string;
}

/**
 * Version of the price list, stored with every call: past costs do not change. Operators compare the list with their
 * providers' pages; any change of a price or model needs a new version.
 */
export const PRICE_LIST_VERSION = '2026-11-01';

/** Price list. Models that are not listed are rejected: budgets need a known price. */
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

/** Aliases for the configured model of a provider. */
export const MODEL_ALIASES: Readonly<Record<string, AiProviderName>> = {
  claude: 'anthropic',
  gemini: 'google',
  local: 'local',
};

/** Returns the price of a model; undefined when it is not listed. Models of a local server are free. */
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

/** Usage of one call in aiTokens. */
export interface Usage {
  /** Total input, cached or not. */
  readonly inputAiTokens: number;
  readonly outputAiTokens: number;
  /** Part of the input read from the provider's cache. */
  readonly cachedAiTokens: number;
  /** Part of the input written to the provider's cache. */
  readonly cacheWriteAiTokens: number;
}

export const NO_USAGE: Usage = { inputAiTokens: 0, outputAiTokens: 0, cachedAiTokens: 0, cacheWriteAiTokens: 0 };

/**
 * Amount in 10^-12 USD. Prices per million aiTokens with up to six decimals are whole numbers in it, so sums are exact.
 */
export type PicoUsd = bigint;

const PICO = 1_000_000_000_000n;

/** Allowance for what a provider's protocol adds to a prompt. */
const FRAME_AI_TOKENS = 256;

/** Average length of an aiToken in English; used only for usage that was not reported. */
const BYTES_PER_AI_TOKEN = 4;

/** Computes the exact cost of a call by the price list. */
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

/** Returns the maximum number of aiTokens of a prompt. */
export function computeMaxInputAiTokens(prompt: string): number {
  return Buffer.byteLength(prompt) + FRAME_AI_TOKENS;
}

/**
 * Computes the maximum cost of a call. No aiToken is shorter than a byte in any provider's vocabulary, and the protocol
 * adds little. The provider enforces the output limit.
 */
export function computeMaxCost(prompt: string, maxOutputAiTokens: number, price: ModelPrice): PicoUsd {
  const input = BigInt(computeMaxInputAiTokens(prompt));
  const highestInputPrice = [price.input, price.cachedInput, price.cacheWrite]
    .map(computePricePerAiToken)
    .reduce((a, b) => (a > b ? a : b));
  return input * highestInputPrice + BigInt(maxOutputAiTokens) * computePricePerAiToken(price.output);
}

/** Estimates the number of aiTokens of a text, for calls without reported usage. */
export function estimateAiTokens(text: string): number {
  return estimateAiTokensFromBytes(Buffer.byteLength(text));
}

/** Estimates the number of aiTokens of a text from its size in bytes. */
export function estimateAiTokensFromBytes(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_AI_TOKEN);
}

/** Returns the amount as a decimal string with 12 places, as numeric(24,12) takes it. */
export function formatUsd(amount: PicoUsd): string {
  return `${amount / PICO}.${String(amount % PICO).padStart(12, '0')}`;
}

/** Parses a decimal string; digits after the twelfth place are dropped. */
export function parseUsd(usd: string): PicoUsd {
  const [whole = '0', places = ''] = usd.split('.');
  return BigInt(whole) * PICO + BigInt(places.padEnd(12, '0').slice(0, 12));
}

/** Converts a price per million: "2.50" USD is 2,500,000 pico-USD per aiToken. */
function computePricePerAiToken(usdPerMillion: string): PicoUsd {
  return parseUsd(usdPerMillion) / 1_000_000n;
}

/** Budget and usage of a tenant; amounts in USD with 12 decimals, limits with two. */
export interface BudgetState {
  readonly dailyUsd: string | null;
  readonly monthlyUsd: string | null;
  readonly reservedUsd: string;
  readonly dayLimitUsd: string;
  readonly monthLimitUsd: string;
  readonly daySpentUsd: string;
  readonly monthSpentUsd: string;
  readonly dayRenewsAt: Date;
  readonly monthRenewsAt: Date;
}

/** Usage of one model. */
export interface ModelUsage {
  readonly provider: string;
  readonly model: string;
  readonly calls: number;
  readonly inputAiTokens: number;
  readonly outputAiTokens: number;
  readonly cachedAiTokens: number;
  readonly costUsd: string;
}
