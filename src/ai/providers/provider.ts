import type { AiProviderName } from '../../platform/config/settings';
import type { Usage } from '../usage/cost';

/** Why a vendor did not write. The message is ours: a vendor's own may repeat the key or the prompt. */
export class ProviderError extends Error {
  constructor(
    message: string,
    /** Another try, or another vendor, may succeed. */
    readonly isTransient: boolean,
    /** The vendor refused the call, so it charges nothing. */
    readonly isRefusal: boolean,
  ) {
    super(message);
  }
}

/** One call of a vendor: a system text, one message, no tools. */
export interface ProviderRequest {
  readonly model: string;
  readonly system: string;
  readonly prompt: string;
  readonly maxOutputAiTokens: number;
  /** Receives what the vendor reports of its usage, at any time; a later report replaces what it repeats. */
  readonly onUsage: (usage: Partial<Usage>) => void;
  /** Ends the call, and with it the connection to the vendor. */
  readonly signal: AbortSignal;
}

/** What comes of a call, as it comes. */
export type ProviderEvent =
  | { readonly type: 'text'; readonly text: string }
  /** The vendor said that it is done; without it the call was cut. */
  | { readonly type: 'end'; readonly reason: EndReason };

/** Why a vendor stopped: the text's own end, the longest length, its filter, or a tool that nobody offered it. */
export type EndReason = 'stop' | 'length' | 'filtered' | 'tool';

/** A vendor of texts. */
export interface AiProvider {
  readonly name: AiProviderName;
  /** The model of drafts that name none. */
  readonly defaultModel: string;
  /** The setting to give when the vendor cannot be called; undefined when it can. */
  readonly missingSetting: string | undefined;
  /**
   * Calls the vendor once and yields what it sends. A connection that breaks ends the events without `end`.
   * @throws ProviderError when the vendor refuses, or says half way that it failed
   */
  stream(call: ProviderRequest): AsyncIterable<ProviderEvent>;
}
