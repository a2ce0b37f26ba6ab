import type { AiProviderName } from '../../platform/config/settings';
import type { Usage } from '../cost';

/** One call of a vendor: a system text, one message, no tools. */
export interface VendorCall {
  readonly model: string;
  readonly system: string;
  readonly prompt: string;
  readonly maxOutputAiTokens: number;
  /** Ends the call, and with it the connection to the vendor. */
  readonly signal: AbortSignal;
}

/** What comes of a call, as it comes. */
export type VendorEvent =
  | { readonly type: 'text'; readonly text: string }
  /** What the vendor says it has counted so far; a later one replaces what it repeats. */
  | { readonly type: 'usage'; readonly usage: Partial<Usage> }
  /** The vendor said that it is done; without it the call was cut. */
  | { readonly type: 'end'; readonly reason: 'stop' | 'length' | 'filtered' };

/** A vendor of texts. */
export interface Provider {
  readonly name: AiProviderName;
  /** The model of drafts that name none. */
  readonly defaultModel: string;
  /** The setting to give when the vendor cannot be called; undefined when it can. */
  readonly missingSetting: string | undefined;
  /**
   * Calls the vendor once and yields what it sends. A connection that breaks ends the events without `end`.
   * @throws VendorError when the vendor refuses, or says half way that it failed
   */
  stream(call: VendorCall): AsyncIterable<VendorEvent>;
}
