import { type AiGeneration, type GenerationStatus } from './ai-generation.entity';
import { type CallRecord, UsageMeter } from '../usage/usage-meter';
import { computeCost, formatUsd, NO_USAGE, type PicoUsd, PRICE_LIST_VERSION } from '../usage/cost';
import { type GenerationType, type Prompt } from '../prompt/build-prompt';
import { checkAnswer, type CheckSources, type Finding } from '../prompt/answer-checks';
import { StorableTextFilter } from '../providers/output-filters';
import { ChunkBuffer } from './chunk-buffer';
import type { GenerationStreamWriter } from './generation-stream-store.service';
import { type EndReason } from '../providers/provider';
import type { ModelCandidate } from '../providers/providers.service';

/** What a generation needs to be written. */
export interface GenerationRequest {
  readonly generationId: number;
  readonly type: GenerationType;
  readonly prompt: Prompt;
  /** To be tried in this order; at least one. */
  readonly candidates: readonly ModelCandidate[];
  /** The most each of them can cost, by its place. */
  readonly maxCosts: readonly PicoUsd[];
  readonly reserved: PicoUsd;
  readonly checkSources: CheckSources;
}

/** A generation that this process is writing: its text so far, and what it has used. */
export class ActiveGeneration {
  readonly chunks = new ChunkBuffer();
  readonly calls: CallRecord[] = [];
  readonly cancellation = new AbortController();
  readonly startedAt = performance.now();
  /** The row as it was left at the end; undefined before, and when it could not be written. */
  savedGeneration: AiGeneration | undefined;
  /** Why the vendor stopped; undefined while it writes and when it was cut. */
  endReason: EndReason | undefined;
  /** True when the process is ending it, not the user. */
  isStopped = false;
  private readonly text = new StorableTextFilter();
  private candidate: ModelCandidate;
  private meter: UsageMeter | undefined;

  constructor(
    readonly request: GenerationRequest,
    private readonly writer: GenerationStreamWriter,
  ) {
    this.candidate = request.candidates[0]!;
  }

  /** Begins another call and returns its meter. */
  beginCall(candidate: ModelCandidate, maxOutputAiTokens: number): UsageMeter {
    this.candidate = candidate;
    return (this.meter = new UsageMeter(this.request.prompt, maxOutputAiTokens));
  }

  /** Notes a call that is over. */
  endCall(call: CallRecord): void {
    this.calls.push(call);
    this.meter = undefined;
  }

  /** Takes a piece of text and hands it on. */
  onText(text: string): void {
    this.append(this.text.filter(text));
  }

  /** The text is complete; its readers are told once `close` is called. */
  finish(): void {
    this.append(this.text.flush());
  }

  /** Tells readers, here and elsewhere, that the final state is in the database. */
  close(): void {
    this.writer.finish();
    this.chunks.close();
  }

  /** What calls that are over and the one under way have cost so far. */
  get progress(): Readonly<Record<string, string | number>> {
    const usage = this.meter?.getUsage().usage ?? NO_USAGE;
    const sum = (field: 'inputAiTokens' | 'outputAiTokens' | 'cachedAiTokens'): number =>
      this.calls.reduce((total, call) => total + call.usage[field], usage[field]);
    const cost = this.calls.reduce((total, call) => total + call.cost, computeCost(usage, this.candidate.price));
    return {
      generationId: this.request.generationId,
      provider: this.candidate.provider.name,
      model: this.candidate.model,
      inputAiTokens: sum('inputAiTokens'),
      outputAiTokens: sum('outputAiTokens'),
      cachedAiTokens: sum('cachedAiTokens'),
      cost: formatUsd(cost),
    };
  }

  private append(text: string): void {
    if (text === '') return;
    const chunk = { seq: this.chunks.lastSeq + 1, text };
    this.chunks.append(chunk.seq, text);
    this.writer.append(chunk);
  }
}

/** As the CHECKs of ai_generations have it. */
const MAX_RESPONSE_LENGTH = 200_000;
const MAX_ERROR_LENGTH = 2_000;

/** Returns what a run that is over leaves in its row. */
export function buildOutcome(run: ActiveGeneration): Partial<AiGeneration> {
  const { calls, request } = run;
  const text = run.chunks.text.slice(0, MAX_RESPONSE_LENGTH);
  const last = calls.at(-1);
  const sum = (field: 'inputAiTokens' | 'outputAiTokens' | 'cachedAiTokens'): number =>
    calls.reduce((total, { usage }) => total + usage[field], 0);
  return {
    status: computeStatus(run, text),
    response: text === '' ? null : text,
    provider: last?.provider ?? null,
    model: last?.model ?? null,
    inputAiTokens: sum('inputAiTokens'),
    outputAiTokens: sum('outputAiTokens'),
    cachedAiTokens: sum('cachedAiTokens'),
    cost: formatUsd(calls.reduce((total, { cost }) => total + cost, 0n)),
    usageIsEstimated: calls.some(({ isEstimated }) => isEstimated),
    priceListVersion: PRICE_LIST_VERSION,
    findings: [...listEndFindings(run), ...checkAnswer(text, request.checkSources)],
    error: describeError(run, text),
    durationMs: Math.round(performance.now() - run.startedAt),
  };
}

function computeStatus(run: ActiveGeneration, text: string): GenerationStatus {
  if (run.calls.at(-1)?.status === 'succeeded') return text.trim() === '' ? 'failed' : 'succeeded';
  return isCancelled(run) ? 'cancelled' : 'failed';
}

/** By the user, before or during a call. */
function isCancelled({ cancellation, isStopped }: ActiveGeneration): boolean {
  return cancellation.signal.aborted && !isStopped;
}

function describeError(run: ActiveGeneration, text: string): string | null {
  const { calls, isStopped } = run;
  const last = calls.at(-1);
  if (last?.status === 'succeeded')
    return text.trim() === '' ? `${last.provider} ${explainEmptyAnswer(run.endReason)}` : null;
  if (isStopped) return 'the server stopped while the vendor was writing';
  if (isCancelled(run)) return 'cancelled';
  if (!last) return 'the server could not call a vendor';
  return calls
    .map(({ error }) => error)
    .join('; ')
    .slice(0, MAX_ERROR_LENGTH);
}

function explainEmptyAnswer(reason: EndReason | undefined): string {
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

function listEndFindings({ endReason }: ActiveGeneration): Finding[] {
  if (endReason === 'length')
    return [{ code: 'truncated', message: 'it was cut at the longest length a draft may have', excerpt: '' }];
  if (endReason === 'filtered') return [{ code: 'filtered', message: "the vendor's filter stopped it", excerpt: '' }];
  return [];
}
