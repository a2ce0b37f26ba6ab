/** The vendors that the fake imitates. */
export type FakeVendor = 'openai' | 'anthropic' | 'google';

/** Prices in 10^-12 USD per aiToken; independent of the server's price list, so that tests compare both. */
const PRICES: Readonly<Record<string, { input: bigint; cached: bigint; output: bigint }>> = {
  'gpt-4': { input: 30_000_000n, cached: 30_000_000n, output: 60_000_000n },
  'gpt-4.1-mini': { input: 400_000n, cached: 100_000n, output: 1_600_000n },
  'gpt-4o-mini': { input: 150_000n, cached: 75_000n, output: 600_000n },
  'claude-sonnet-4-5': { input: 3_000_000n, cached: 300_000n, output: 15_000_000n },
  'claude-haiku-4-5': { input: 1_000_000n, cached: 100_000n, output: 5_000_000n },
  'gemini-2.5-flash': { input: 300_000n, cached: 30_000n, output: 2_500_000n },
  'gemini-2.5-pro': { input: 1_250_000n, cached: 125_000n, output: 10_000_000n },
};

/** Invoice of one call. */
export interface FakeInvoice {
  readonly vendor: FakeVendor;
  readonly model: string;
  /** System text of the request; `prompt` is its message. */
  readonly system: string;
  readonly prompt: string;
  /** The whole body, which shows that nothing else was sent. */
  readonly body: unknown;
  /** HTTP status of the response. */
  readonly status: number;
  /** True when the whole response was sent. */
  readonly isComplete: boolean;
  /** The text sent in complete events. */
  readonly text: string;
  readonly inputAiTokens: number;
  readonly cachedAiTokens: number;
  readonly outputAiTokens: number;
  /** Cost in 10^-12 USD. */
  readonly cost: bigint;
}

/** Counts the aiTokens of a text: one for four bytes. */
export function countFakeTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4);
}

/** Returns the cost of a call. */
export function calculateFakeCost(
  model: string,
  usage: Pick<FakeInvoice, 'inputAiTokens' | 'cachedAiTokens' | 'outputAiTokens'>,
): bigint {
  const price = PRICES[model];
  if (!price) throw new Error(`The fake has no price for ${model}.`);
  return (
    BigInt(usage.inputAiTokens - usage.cachedAiTokens) * price.input +
    BigInt(usage.cachedAiTokens) * price.cached +
    BigInt(usage.outputAiTokens) * price.output
  );
}
