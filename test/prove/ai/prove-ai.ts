import { AiInstallation } from './ai-installation';
import { proveBudget, type BudgetOptions } from './budget';
import { proveAiKills, type AiKillsOptions } from './kills';
import { proveLedger, type LedgerOptions } from './ledger';
import { proveStreams, type StreamsOptions } from './streams';

/** How much of each proof. */
export interface AiProofOptions {
  readonly budget: BudgetOptions;
  readonly ledger: LedgerOptions;
  readonly streams: StreamsOptions;
  readonly kills: AiKillsOptions;
}

/** The long proofs of AI drafts, one after the other on one installation. */
export async function proveAi({ budget, ledger, kills, streams }: AiProofOptions) {
  const installation = await AiInstallation.start();
  try {
    if (!kills.isAged) await installation.work();
    return {
      budget: await proveBudget(installation, budget),
      ledger: await proveLedger(installation, ledger),
      streams: await proveStreams(installation, streams),
      kills: await proveAiKills(installation, kills),
    };
  } finally {
    await installation.remove();
  }
}
