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

/** Input of a generation run. */
export interface GenerationRequest {
  readonly generationId: number;
  readonly type: GenerationType;
  readonly prompt: Prompt;
  /** Models to try, in this order; at least one. */
  readonly candidates: readonly ModelCandidate[];
  /** Maximum cost of each candidate, by index. */
  readonly maxCosts: readonly PicoUsd[];
  readonly reserved: PicoUsd;
  readonly checkSources: CheckSources;
}

/** Generation that this process is writing: its text and usage so far. */
export class ActiveGeneration {
  readonly chunks = new ChunkBuffer();
  readonly calls: CallRecord[] = [];
  readonly cancellation = new AbortController();
  readonly startedAt = performance.now();
  /** Final row; undefined until it is saved, or when saving failed. */
  savedGeneration: AiGeneration | undefined;
  /** Why the provider stopped; undefined while it writes and when it was cut. */
  endReason: EndReason | undefined;
  /** True when the process stops the generation, not the user. */
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

  /** Starts another call and returns its meter. */
  beginCall(candidate: ModelCandidate, maxOutputAiTokens: number): UsageMeter {
    this.candidate = candidate;
    return (this.meter = new UsageMeter(this.request.prompt, maxOutputAiTokens));
  }

  /** Records a finished call. */
  endCall(call: CallRecord): void {
    this.calls.push(call);
    this.meter = undefined;
  }

  /** Stores a chunk of text and passes it to readers. */
  onText(text: string): void {
    this.append(this.text.filter(text));
  }

  /** Completes the text. Readers are notified by `close`. */
  finish(): void {
    this.append(this.text.flush());
    this.writer.flush();
  }

  /** Notifies all readers that the final state is in the database. */
  close(): void {
    this.writer.finish();
    this.chunks.close();
  }

  /** Usage and cost so far, of finished calls and the current one. */
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

/** Same limits as the CHECKs of ai_generations. */
const MAX_RESPONSE_LENGTH = 200_000;
const MAX_ERROR_LENGTH = 2_000;

/** Builds the final columns of a finished run. */
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

/** Returns true when the user cancelled, before or during a call. */
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
  if (!last) return 'The server could not call a provider.';
  return calls
    .map(({ error }) => error)
    .join('; ')
    .slice(0, MAX_ERROR_LENGTH);
}

function explainEmptyAnswer(reason: EndReason | undefined): string {
  switch (reason) {
    case 'filtered':
      return 'refused the draft by its safety filter; change the instructions, omit the job, or choose another model';
    case 'tool':
      return 'requested a tool, which drafts do not offer; choose another model';
    case 'length':
      return 'used all of its output before the text began; choose another model or raise AI_MAX_OUTPUT_AI_TOKENS';
    default:
      return 'returned an empty answer; choose another model';
  }
}

function listEndFindings({ endReason }: ActiveGeneration): Finding[] {
  if (endReason === 'length')
    return [{ code: 'truncated', message: 'The draft was cut at the maximum length.', excerpt: '' }];
  if (endReason === 'filtered')
    return [{ code: 'filtered', message: "The provider's safety filter stopped the draft.", excerpt: '' }];
  return [];
}
