import type { AiProviderName } from '../platform/config/settings';
import type { PicoUsd, Usage } from './cost';

/** How a call of a vendor ended; the CHECK of ai_calls.status lists the same and one more, for a process that died. */
export type CallStatus = 'succeeded' | 'failed' | 'cut' | 'cancelled';

/** One call of a vendor that is over, for the ledger. */
export interface CallRecord {
  readonly provider: AiProviderName;
  readonly model: string;
  readonly status: CallStatus;
  readonly usage: Usage;
  /** The vendor did not tell all of the usage. */
  readonly isEstimated: boolean;
  readonly cost: PicoUsd;
  readonly durationMs: number;
  readonly error: string | null;
  /** Another try, or another vendor, may succeed. */
  readonly isTransient: boolean;
}
