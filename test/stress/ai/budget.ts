import type { AiInstallation } from './ai-installation';
import { waitFor } from '../../support/wait-for';

/** About 49 calls at their maximum cost. */
const BUDGET_USD = '0.50';

/** The number of rounds, and of concurrent calls in each. */
export interface BudgetOptions {
  readonly rounds: number;
  /** Up to 104: the API runs 4 of a user and queues 100. While the database is slow, it answers further ones 429. */
  readonly calls: number;
  /** True: the providers wait until every call was accepted or refused. Else settled calls free budget meanwhile. */
  readonly isHeld?: boolean;
}

/** A round against a budget of 0.50 USD; overspent, reserved and unaccounted must be 0. */
export interface BudgetRound {
  readonly written: number;
  readonly refused: number;
  readonly other: number;
  readonly spentUsd: string;
  readonly overspent: number;
  readonly reserved: number;
  readonly unaccounted: number;
}

/**
 * Sends many concurrent calls against a budget of 0.50 USD, with a new user a round, and compares the ledger with the
 * fake's invoices.
 */
export async function stressBudget(installation: AiInstallation, options: BudgetOptions): Promise<BudgetRound[]> {
  const results: BudgetRound[] = [];
  for (let round = 0; round < options.rounds; round += 1) results.push(await attack(installation, options));
  return results;
}

async function attack(installation: AiInstallation, { calls, isHeld = false }: BudgetOptions): Promise<BudgetRound> {
  const { fake } = installation;
  const user = await installation.createUser();
  fake.invoices.length = 0;
  let answered = 0;
  const decided = isHeld ? waitUntil(() => fake.countOpenCalls() + answered >= calls) : undefined;
  // Long cover letters at random speeds.
  fake.setBehaviour(() => ({
    chunks: Array.from({ length: 40 }, () => 'x'.repeat(100)),
    pauseMs: Math.random() * 20,
    waitFor: decided,
  }));
  await user.put('/v1/ai/budget', { dailyUsd: BUDGET_USD, monthlyUsd: BUDGET_USD });
  const answers = await Promise.all(
    Array.from({ length: calls }, () =>
      user
        .post('/v1/ai/generations', { type: 'cover_letter', model: 'claude-haiku-4-5' })
        .finally(() => (answered += 1)),
    ),
  );
  const strange = answers.filter(({ status }) => status !== 201 && status !== 402);
  if (strange[0])
    console.error(
      `${strange.length} calls were answered otherwise, the first ${strange[0].status} ` +
        `${JSON.stringify(strange[0].body)}`,
    );
  const { body: usage } = await user.get('/v1/ai/usage');
  const spent = toPicoUsd(usage.day.spentUsd);
  const billed = fake.invoices.reduce((sum, { cost }) => sum + cost, 0n);
  const count = (status: number): number => answers.filter((answer) => answer.status === status).length;
  return {
    written: count(201),
    refused: count(402),
    other: calls - count(201) - count(402),
    spentUsd: usage.day.spentUsd,
    overspent: spent > toPicoUsd(`${BUDGET_USD}0000000000`) ? 1 : 0,
    reserved: Number(usage.reservedUsd),
    unaccounted: spent === billed && fake.invoices.length === count(201) ? 0 : 1,
  };
}

async function waitUntil(isSo: () => boolean): Promise<void> {
  await waitFor('the calls arrive', isSo);
}

function toPicoUsd(usd: string): bigint {
  return BigInt(usd.replace('.', ''));
}
