import { AiInstallation } from './ai-installation';
import { stressBudget, type BudgetOptions } from './budget';
import { stressAiKills, type AiKillsOptions } from './kills';
import { stressUsageLedger, type UsageLedgerOptions } from './usage-ledger';
import { stressStreams, type StreamsOptions } from './streams';

/** Sizes of each part. */
export interface AiStressOptions {
  readonly budget: BudgetOptions;
  readonly ledger: UsageLedgerOptions;
  readonly streams: StreamsOptions;
  readonly kills: AiKillsOptions;
}

/** Runs the AI scenarios one after the other on one installation. */
export async function stressAi({ budget, ledger, kills, streams }: AiStressOptions) {
  const installation = await AiInstallation.start();
  try {
    if (!kills.isAged) await installation.work();
    return {
      budget: await stressBudget(installation, budget),
      ledger: await stressUsageLedger(installation, ledger),
      streams: await stressStreams(installation, streams),
      kills: await stressAiKills(installation, kills),
    };
  } finally {
    await installation.remove();
  }
}
