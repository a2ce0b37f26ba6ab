import { z } from 'zod';
import type { Usage } from '../cost';

/** Anthropic's first event tells the input; its output counts only at the end. */
const ANTHROPIC = z.object({
  type: z.literal('message_start'),
  message: z.object({
    usage: z.object({
      input_tokens: z.number(),
      cache_read_input_tokens: z.number().nullish(),
      cache_creation_input_tokens: z.number().nullish(),
    }),
  }),
});

/** Google repeats its counts in every event. */
const GOOGLE = z.object({
  usageMetadata: z.object({
    promptTokenCount: z.number(),
    candidatesTokenCount: z.number().nullish(),
    thoughtsTokenCount: z.number().nullish(),
    cachedContentTokenCount: z.number().nullish(),
  }),
});

/**
 * Returns what an event of a vendor's own protocol tells of the usage before the end, so that a call that is cut costs
 * what is known; undefined when it tells nothing (OpenAI never does).
 */
export function usageSoFar(raw: unknown): Partial<Usage> | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined;
  if ('usageMetadata' in raw) {
    const { data } = GOOGLE.safeParse(raw);
    return data && fromGoogle(data.usageMetadata);
  }
  if (!('type' in raw) || raw.type !== 'message_start') return undefined;
  const { data } = ANTHROPIC.safeParse(raw);
  return data && fromAnthropic(data.message.usage);
}

function fromAnthropic(usage: z.infer<typeof ANTHROPIC>['message']['usage']): Partial<Usage> {
  const cachedAiTokens = usage.cache_read_input_tokens ?? 0;
  const cacheWriteAiTokens = usage.cache_creation_input_tokens ?? 0;
  return { inputAiTokens: usage.input_tokens + cachedAiTokens + cacheWriteAiTokens, cachedAiTokens, cacheWriteAiTokens };
}

function fromGoogle(usage: z.infer<typeof GOOGLE>['usageMetadata']): Partial<Usage> {
  const output = [usage.candidatesTokenCount, usage.thoughtsTokenCount].filter((count) => typeof count === 'number');
  return {
    inputAiTokens: usage.promptTokenCount,
    cachedAiTokens: usage.cachedContentTokenCount ?? 0,
    ...(output.length > 0 && { outputAiTokens: output.reduce((sum, count) => sum + count, 0) }),
  };
}
