import type { AiProviderName } from '../../platform/config/settings';
import type { Usage } from '../usage/cost';

/** Failure of a provider call. The message never quotes the provider's own, which may repeat the key or the prompt. */
export class ProviderError extends Error {
  constructor(
    message: string,
    /** True when another attempt or another provider may succeed. */
    readonly isTransient: boolean,
    /** True when the provider refused the call, which costs nothing. */
    readonly isRefusal: boolean,
  ) {
    super(message);
  }
}

/** Request to a provider: a system text, one message, no tools. */
export interface ProviderRequest {
  readonly model: string;
  readonly system: string;
  readonly prompt: string;
  readonly maxOutputAiTokens: number;
  /** Receives usage at any time; a later report replaces the counts it repeats. */
  readonly onUsage: (usage: Partial<Usage>) => void;
  /** Aborts the call and its connection. */
  readonly signal: AbortSignal;
}

/** Event of a call in progress. */
export type ProviderEvent =
  | { readonly type: 'text'; readonly text: string }
  /** The provider has finished; without this event the call was cut. */
  | { readonly type: 'end'; readonly reason: EndReason };

/** Reason for the end: complete, maximum length, safety filter, or a request for a tool that was not offered. */
export type EndReason = 'stop' | 'length' | 'filtered' | 'tool';

/** Provider of generated text. */
export interface AiProvider {
  readonly name: AiProviderName;
  /** Model for drafts that request none. */
  readonly defaultModel: string;
  /** Missing setting; undefined when the provider can be called. */
  readonly missingSetting: string | undefined;
  /**
   * Calls the provider once and yields its events. A broken connection ends them without `end`.
   * @throws ProviderError when the provider refuses the call or reports a failure while writing
   */
  stream(call: ProviderRequest): AsyncIterable<ProviderEvent>;
}
