import { AiInstallation } from './ai-installation';
import { proveBudget } from './budget';
import { proveAiKills } from './kills';
import { proveLedger } from './ledger';
import { proveStreams } from './streams';

/** How much of each proof. */
export interface AiProofOptions {
  readonly budget: { readonly rounds: number; readonly calls: number };
  readonly ledger: { readonly calls: number; readonly atOnce: number };
  readonly kills: readonly string[];
  readonly streams: { readonly streams: number; readonly openingMs: number };
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
