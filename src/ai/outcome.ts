import type { AiGeneration } from './ai-generation.entity';
import { toUsd } from './cost';
import type { GenerationStatus } from './generation-values';
import type { LiveRun } from './live-run';
import { PRICE_LIST_VERSION } from './price-list';
import { checkAnswer } from './prompt/answer-checks';

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
    findings: [...run.remarks, ...checkAnswer(text, order.checks)],
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
  if (last?.status === 'succeeded') return text.trim() === '' ? `${last.provider} answered nothing` : null;
  if (isStopped) return 'the server stopped while the vendor was writing';
  if (isCancelled(run)) return 'cancelled';
  if (!last) return 'the server could not call a vendor';
  return calls.map(({ error }) => error).join('; ').slice(0, MAX_ERROR);
}
