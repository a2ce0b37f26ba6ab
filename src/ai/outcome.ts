import type { AiGeneration } from './ai-generation.entity';
import { toUsd } from './cost';
import type { GenerationStatus } from './generation-status';
import type { LiveRun } from './live-run';
import { PRICE_LIST_VERSION } from './price-list';
import { checkAnswer, type Finding } from './prompt/answer-checks';
import type { EndReason } from './providers/provider';

/** As the CHECKs of ai_generations have it. */
const MAX_RESPONSE = 200_000;
const MAX_ERROR = 2_000;

/** Returns what a run that is over leaves in its row. */
export function outcomeOf(run: LiveRun): Partial<AiGeneration> {
  const { calls, order } = run;
  const text = run.pieces.text.slice(0, MAX_RESPONSE);
  const last = calls.at(-1);
  const sum = (field: 'inputAiTokens' | 'outputAiTokens' | 'cachedAiTokens'): number =>
    calls.reduce((total, { usage }) => total + usage[field], 0);
  return {
    status: statusOf(run, text),
    response: text === '' ? null : text,
    provider: last?.provider ?? null,
    model: last?.model ?? null,
    inputAiTokens: sum('inputAiTokens'),
    outputAiTokens: sum('outputAiTokens'),
    cachedAiTokens: sum('cachedAiTokens'),
    cost: toUsd(calls.reduce((total, { cost }) => total + cost, 0n)),
    usageIsEstimated: calls.some(({ isEstimated }) => isEstimated),
    priceListVersion: PRICE_LIST_VERSION,
    findings: [...findingsOf(run), ...checkAnswer(text, order.checks)],
    error: errorOf(run, text),
    durationMs: Math.round(performance.now() - run.startedAt),
  };
}

function statusOf(run: LiveRun, text: string): GenerationStatus {
  if (run.calls.at(-1)?.status === 'succeeded') return text.trim() === '' ? 'failed' : 'succeeded';
  return isCancelled(run) ? 'cancelled' : 'failed';
}

/** By the user, before or during a call. */
function isCancelled({ cancellation, isStopped }: LiveRun): boolean {
  return cancellation.signal.aborted && !isStopped;
}

function errorOf(run: LiveRun, text: string): string | null {
  const { calls, isStopped } = run;
  const last = calls.at(-1);
  if (last?.status === 'succeeded')
    return text.trim() === '' ? `${last.provider} ${emptyBecause(run.endReason)}` : null;
  if (isStopped) return 'the server stopped while the vendor was writing';
  if (isCancelled(run)) return 'cancelled';
  if (!last) return 'the server could not call a vendor';
  return calls
    .map(({ error }) => error)
    .join('; ')
    .slice(0, MAX_ERROR);
}

function emptyBecause(reason: EndReason | undefined): string {
  switch (reason) {
    case 'filtered':
      return 'refused the draft by its safety filter; change your words, leave the job out, or choose another model';
    case 'tool':
      return 'asked for a tool instead of writing, and drafts have none; choose another model';
    case 'length':
      return 'used all of its output before the text began; choose another model or raise AI_MAX_OUTPUT_AI_TOKENS';
    default:
      return 'answered nothing';
  }
}

function findingsOf({ endReason }: LiveRun): Finding[] {
  if (endReason === 'length')
    return [{ code: 'truncated', message: 'it was cut at the longest length a draft may have', excerpt: '' }];
  if (endReason === 'filtered') return [{ code: 'filtered', message: "the vendor's filter stopped it", excerpt: '' }];
  return [];
}
