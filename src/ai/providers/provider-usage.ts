import { z } from 'zod';
import type { Usage } from '../usage/cost';

/** Upper bound of a count; a larger one is an error of the provider. */
const MAX_COUNT = 1_000_000_000;

/** Valid count: a whole number from 0 up. Everything else counts as not reported. */
const COUNT = z.number().int().min(0).max(MAX_COUNT).optional().catch(undefined);

/** Optional count: absent or null is 0; undefined when the value is invalid. */
const COUNT_OR_NONE = z
  .number()
  .int()
  .min(0)
  .max(MAX_COUNT)
  .nullish()
  .transform((count): number | undefined => count ?? 0)
  .catch(undefined);

const OPENAI = z.object({
  choices: z.unknown(),
  usage: z.object({
    prompt_tokens: COUNT,
    completion_tokens: COUNT,
    prompt_tokens_details: z.object({ cached_tokens: COUNT_OR_NONE }).nullish().catch(undefined),
  }),
});

/** Anthropic reports the input in the first event and the output in a later one. */
const ANTHROPIC_START = z.object({
  type: z.literal('message_start'),
  message: z.object({
    usage: z.object({
      input_tokens: COUNT,
      cache_read_input_tokens: COUNT_OR_NONE,
      cache_creation_input_tokens: COUNT_OR_NONE,
    }),
  }),
});
const ANTHROPIC_DELTA = z.object({ type: z.literal('message_delta'), usage: z.object({ output_tokens: COUNT }) });

/** Google repeats its counts in every event. */
const GOOGLE = z.object({
  usageMetadata: z.object({
    promptTokenCount: COUNT,
    candidatesTokenCount: COUNT_OR_NONE,
    thoughtsTokenCount: COUNT_OR_NONE,
    cachedContentTokenCount: COUNT_OR_NONE,
  }),
});

const EVENT = z.union([
  ANTHROPIC_START.transform(({ message: { usage } }) =>
    toInputUsage(
      sumCounts(usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens),
      usage.cache_read_input_tokens,
      usage.cache_creation_input_tokens,
    ),
  ),
  ANTHROPIC_DELTA.transform(({ usage }): Partial<Usage> => ({ outputAiTokens: usage.output_tokens })),
  GOOGLE.transform(({ usageMetadata: usage }): Partial<Usage> => ({
    ...toInputUsage(usage.promptTokenCount, usage.cachedContentTokenCount),
    outputAiTokens: sumCounts(usage.candidatesTokenCount, usage.thoughtsTokenCount),
  })),
  OPENAI.transform(({ usage }): Partial<Usage> => ({
    ...toInputUsage(usage.prompt_tokens, usage.prompt_tokens_details?.cached_tokens),
    outputAiTokens: usage.completion_tokens,
  })),
]);

/**
 * Returns the usage that an event reports; undefined when it reports none. Counts that are not whole numbers from 0 up
 * are undefined.
 */
export function parseUsage(event: unknown): Partial<Usage> | undefined {
  return EVENT.safeParse(event).data;
}

function toInputUsage(input: number | undefined, cached: number | undefined, written = 0): Partial<Usage> {
  return { inputAiTokens: input, cachedAiTokens: cached ?? 0, cacheWriteAiTokens: written };
}

function sumCounts(...counts: readonly (number | undefined)[]): number | undefined {
  return counts.reduce((sum, count) => (sum === undefined || count === undefined ? undefined : sum + count), 0);
}
