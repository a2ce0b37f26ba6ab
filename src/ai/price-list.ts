import type { AiProviderName } from '../platform/config/settings';

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
  price('openai', 'gpt-4', '30', '60'),
  price('openai', 'gpt-4o', '2.50', '10', '1.25'),
  price('openai', 'gpt-4o-mini', '0.15', '0.60', '0.075'),
  price('openai', 'gpt-4.1', '2', '8', '0.50'),
  price('openai', 'gpt-4.1-mini', '0.40', '1.60', '0.10'),
  price('anthropic', 'claude-opus-4-5', '5', '25', '0.50', '6.25'),
  price('anthropic', 'claude-sonnet-4-5', '3', '15', '0.30', '3.75'),
  price('anthropic', 'claude-haiku-4-5', '1', '5', '0.10', '1.25'),
  price('google', 'gemini-2.5-pro', '1.25', '10', '0.125'),
  price('google', 'gemini-2.5-flash', '0.30', '2.50', '0.03'),
  price('google', 'gemini-2.5-flash-lite', '0.10', '0.40', '0.01'),
];

/** Short names that stand for a vendor's configured model. */
export const MODEL_ALIASES: Readonly<Record<string, AiProviderName>> = {
  claude: 'anthropic',
  gemini: 'google',
  local: 'local',
};

/** Returns the price of a vendor's model, undefined when the list has none; a local server's models are free. */
export function priceOf(provider: AiProviderName, model: string): ModelPrice | undefined {
  if (provider === 'local') return price('local', model, '0', '0');
  return PRICE_LIST.find((entry) => entry.provider === provider && entry.model === model);
}

function price(
  provider: AiProviderName,
  model: string,
  input: string,
  output: string,
  cachedInput = input,
  cacheWrite = input,
): ModelPrice {
  return { provider, model, input, output, cachedInput, cacheWrite };
}
