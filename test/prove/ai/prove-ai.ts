import { AiInstallation } from './ai-installation';
import { proveBudget, type BudgetOptions } from './budget';
import { proveAiKills } from './kills';
import { proveLedger, type LedgerOptions } from './ledger';
import { proveStreams, type StreamsOptions } from './streams';

/** How much of each proof. */
export interface AiProofOptions {
  readonly budget: BudgetOptions;
  readonly ledger: LedgerOptions;
  readonly kills: readonly string[];
  readonly streams: StreamsOptions;
}

/** The long proofs of AI drafts, one after the other on one installation. */
export async function proveAi({ budget, ledger, kills, streams }: AiProofOptions) {
  const installation = await AiInstallation.start();
  try {
    return {
      budget: await proveBudget(installation, budget),
      ledger: await proveLedger(installation, ledger),
      kills: await proveAiKills(installation, kills),
      streams: await proveStreams(installation, streams),
    };
  } finally {
    await installation.remove();
  }
}
