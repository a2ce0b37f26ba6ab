import type { AiGeneration } from './ai-generation.entity';
import type { CallRecord } from './call-record';
import { costOf, NO_USAGE, toUsd, type PicoUsd } from './cost';
import type { GenerationType } from './generation-values';
import type { CheckSources } from './prompt/answer-checks';
import type { Prompt } from './prompt/build-prompt';
import { StorableText } from './prompt/storable-text';
import { PieceBuffer } from './piece-buffer';
import type { FeedWriter } from './generation-feed.service';
import type { EndReason } from './providers/provider';
import type { Candidate } from './providers/providers.service';
import { UsageMeter } from './usage-meter';

/** What a generation needs to be written. */
export interface RunOrder {
  readonly generationId: number;
  readonly type: GenerationType;
  readonly prompt: Prompt;
  /** To be tried in this order; at least one. */
  readonly candidates: readonly Candidate[];
  /** The most each of them can cost, by its place. */
  readonly worstCosts: readonly PicoUsd[];
  readonly reserved: PicoUsd;
  readonly checks: CheckSources;
}

/** A generation that this process is writing: its text so far, and what it has used. */
export class LiveRun {
  readonly pieces = new PieceBuffer();
  readonly calls: CallRecord[] = [];
  readonly cancellation = new AbortController();
  readonly startedAt = performance.now();
  /** The row as it was left at the end; undefined before, and when it could not be written. */
  written: AiGeneration | undefined;
  /** Why the vendor stopped; undefined while it writes and when it was cut. */
  endReason: EndReason | undefined;
  /** True when the process is ending it, not the user. */
  isStopped = false;
  private readonly text = new StorableText();
  private candidate: Candidate;
  private meter: UsageMeter | undefined;

  constructor(
    readonly order: RunOrder,
    private readonly feed: FeedWriter,
  ) {
    this.candidate = order.candidates[0]!;
  }

  /** Begins another call and returns its meter. */
  begin(candidate: Candidate, maxOutputAiTokens: number): UsageMeter {
    this.candidate = candidate;
    return (this.meter = new UsageMeter(this.order.prompt, maxOutputAiTokens));
  }

  /** Notes a call that is over. */
  end(call: CallRecord): void {
    this.calls.push(call);
    this.meter = undefined;
  }

  /** Takes a piece of text and hands it on. */
  hear(text: string): void {
    this.hand(this.text.next(text));
  }

  /** The text is complete; its readers are told once `close` is called. */
  finish(): void {
    this.hand(this.text.end());
  }

  /** Tells readers, here and elsewhere, that the final state is in the database. */
  close(): void {
    this.feed.end();
    this.pieces.close();
  }

  /** What calls that are over and the one under way have cost so far. */
  get figures(): Readonly<Record<string, string | number>> {
    const usage = this.meter?.reading().usage ?? NO_USAGE;
    const sum = (field: 'inputAiTokens' | 'outputAiTokens' | 'cachedAiTokens'): number =>
      this.calls.reduce((total, call) => total + call.usage[field], usage[field]);
    const cost = this.calls.reduce((total, call) => total + call.cost, costOf(usage, this.candidate.price));
    return {
      generationId: this.order.generationId,
      provider: this.candidate.provider.name,
      model: this.candidate.model,
      inputAiTokens: sum('inputAiTokens'),
      outputAiTokens: sum('outputAiTokens'),
      cachedAiTokens: sum('cachedAiTokens'),
      cost: toUsd(cost),
    };
  }

  private hand(text: string): void {
    if (text === '') return;
    const piece = { seq: this.pieces.last + 1, text };
    this.pieces.add(piece.seq, text);
    this.feed.add(piece);
  }
}
