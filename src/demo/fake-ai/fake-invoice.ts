/** The vendors the fake speaks for. */
export type FakeVendor = 'openai' | 'anthropic' | 'google';

/** What the fake charges, in 10^-12 USD for one aiToken; written down apart from the server's price list, to be compared with it. */
const PRICES: Readonly<Record<string, { input: bigint; cached: bigint; output: bigint }>> = {
  'gpt-4': { input: 30_000_000n, cached: 30_000_000n, output: 60_000_000n },
  'gpt-4.1-mini': { input: 400_000n, cached: 100_000n, output: 1_600_000n },
  'gpt-4o-mini': { input: 150_000n, cached: 75_000n, output: 600_000n },
  'claude-sonnet-4-5': { input: 3_000_000n, cached: 300_000n, output: 15_000_000n },
  'claude-haiku-4-5': { input: 1_000_000n, cached: 100_000n, output: 5_000_000n },
  'gemini-2.5-flash': { input: 300_000n, cached: 30_000n, output: 2_500_000n },
  'gemini-2.5-pro': { input: 1_250_000n, cached: 125_000n, output: 10_000_000n },
};

/** One call, as the fake would put it on an invoice. */
export interface FakeInvoice {
  readonly vendor: FakeVendor;
  readonly model: string;
  /** The system text and the message, as they arrived. */
  readonly system: string;
  readonly prompt: string;
  /** The whole body, to show that nothing else was sent. */
  readonly body: unknown;
  /** The HTTP status that was answered. */
  readonly status: number;
  /** Whether all of the answer left the fake. */
  readonly isComplete: boolean;
  /** What of the text left the fake in whole events. */
  readonly text: string;
  readonly inputAiTokens: number;
  readonly cachedAiTokens: number;
  readonly outputAiTokens: number;
  /** In 10^-12 USD. */
  readonly cost: bigint;
}

/** The fake's alphabet: an aiToken is four bytes. */
export function countFakeTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4);
}

/** Returns what the fake charges for a call. */
export function calculateFakeCost(
  model: string,
  usage: Pick<FakeInvoice, 'inputAiTokens' | 'cachedAiTokens' | 'outputAiTokens'>,
): bigint {
  const price = PRICES[model];
  if (!price) throw new Error(`the fake has no price for ${model}`);
  return (
    BigInt(usage.inputAiTokens - usage.cachedAiTokens) * price.input +
    BigInt(usage.cachedAiTokens) * price.cached +
    BigInt(usage.outputAiTokens) * price.output
  );
}
