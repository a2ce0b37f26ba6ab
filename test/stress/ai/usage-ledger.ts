import { calculateFakeCost, countFakeTokens, type FakeInvoice } from '../../../src/demo/fake-ai/fake-invoice';
import type { FakeBehaviour } from '../../../src/demo/fake-ai/fake-vendors';
import type { Caller } from '../../support/caller';
import type { AiInstallation } from './ai-installation';

/** The number of calls, and how many run concurrently. */
export interface UsageLedgerOptions {
  readonly calls: number;
  readonly concurrency: number;
}

/** Differences of ledger and invoices; wrongText, wrongUsage, wrongCost, missing and running must be 0. */
export interface UsageLedgerResult {
  readonly calls: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Requests that the fake received, with retries and other providers. */
  readonly vendorCalls: number;
  /** Those that were refused, truncated or ended by an error. */
  readonly faults: number;
  /** Generations with a call whose usage the provider never reported. */
  readonly estimated: number;
  readonly wrongText: number;
  readonly wrongUsage: number;
  readonly wrongCost: number;
  readonly missing: number;
  readonly running: number;
  readonly billedUsd: string;
  readonly recordedUsd: string;
}

interface Row {
  readonly instructions: string;
  readonly status: string;
  readonly response: string | null;
  readonly cost: string;
  readonly input: number;
  readonly output: number;
  readonly cached: number;
  readonly isEstimated: boolean;
}

const MODELS = ['gpt-4', 'gpt-4o-mini', 'claude', 'claude-haiku-4-5', 'gemini', 'gemini-2.5-pro', undefined];
/** A little more than a fifth, because a cut after the end of a text has no effect. */
const FAULTS = 0.23;

/** Makes mixed calls of all providers with a fifth of faults, and compares each generation with the fake's invoice. */
export async function stressUsageLedger(
  installation: AiInstallation,
  { calls, concurrency: atOnce }: UsageLedgerOptions,
): Promise<UsageLedgerResult> {
  const { fake } = installation;
  const user = await installation.createUser();
  fake.invoices.length = 0;
  fake.setBehaviour(chooseBehaviour);
  let next = 0;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (next < calls) await call(user, (next += 1));
    }),
  );
  const [{ id: userId }] = (await installation.query<{ id: number }>('SELECT max(id) AS id FROM users')) as [
    { id: number },
  ];
  const rows = await installation.query<Row>(
    `SELECT instructions, status, response, cost::text, input_ai_tokens AS input, output_ai_tokens AS output,
       cached_ai_tokens AS cached, usage_is_estimated AS "isEstimated" FROM ai_generations WHERE user_id = $1`,
    [userId],
  );
  const faults = fake.invoices.filter(({ isComplete }) => !isComplete).length;
  return {
    calls,
    vendorCalls: fake.invoices.length,
    faults,
    missing: calls - rows.length,
    ...compare(installation, rows),
  };
}

async function call(user: Caller, number: number): Promise<void> {
  const { status } = await user.post('/v1/ai/generations', {
    type: 'cover_letter',
    model: MODELS[number % MODELS.length],
    instructions: `[call ${number}]`,
  });
  if (status !== 201 && status !== 502) throw new Error(`call ${number} was answered ${status}`);
}

function compare(
  { fake }: AiInstallation,
  rows: readonly Row[],
): Omit<UsageLedgerResult, 'calls' | 'vendorCalls' | 'faults' | 'missing'> {
  const wrong = { wrongText: 0, wrongUsage: 0, wrongCost: 0 };
  let [recorded, billed] = [0n, 0n];
  for (const row of rows) {
    const bills = fake.invoices
      .filter(({ prompt }) => prompt.includes(row.instructions))
      .map((bill) => (bill.isComplete ? bill : readPart(bill, row)));
    const sum = (field: 'inputAiTokens' | 'outputAiTokens' | 'cachedAiTokens'): number =>
      bills.reduce((total, bill) => total + bill[field], 0);
    const cost = bills.reduce((total, bill) => total + bill.cost, 0n);
    recorded += toPicoUsd(row.cost);
    billed += cost;
    if ((row.response ?? '') !== bills.map(({ text }) => text).join('')) wrong.wrongText += 1;
    if (
      row.input !== sum('inputAiTokens') ||
      row.output !== sum('outputAiTokens') ||
      row.cached !== sum('cachedAiTokens')
    )
      wrong.wrongUsage += 1;
    if (toPicoUsd(row.cost) !== cost) wrong.wrongCost += 1;
  }
  const count = (status: string): number => rows.filter((row) => row.status === status).length;
  return {
    succeeded: count('succeeded'),
    failed: count('failed'),
    running: count('running'),
    estimated: rows.filter(({ isEstimated }) => isEstimated).length,
    ...wrong,
    billedUsd: toUsd(billed),
    recordedUsd: toUsd(recorded),
  };
}

/**
 * Returns the invoice of a broken call as far as the client read it. A client loses what it received but had not read
 * when the connection broke: the end of the text, or the event that reports the cached input.
 */
function readPart(bill: FakeInvoice, row: Row): FakeInvoice {
  const text = bill.text.startsWith(row.response ?? '') ? (row.response ?? '') : bill.text;
  const usage = {
    inputAiTokens: bill.inputAiTokens,
    cachedAiTokens: Math.min(bill.cachedAiTokens, row.cached),
    outputAiTokens: countFakeTokens(text),
  };
  return { ...bill, ...usage, text, cost: calculateFakeCost(bill.model, usage) };
}

function chooseBehaviour(): FakeBehaviour {
  const chunks = Array.from({ length: 1 + Math.floor(Math.random() * 40) }, (_, i) => `wörd${i}-${'é'.repeat(i % 7)} `);
  const common = { chunks, cachedShare: Math.random() < 0.5 ? Math.random() : 0, pauseMs: Math.random() < 0.3 ? 2 : 0 };
  if (Math.random() >= FAULTS) return common;
  const kind = Math.random();
  if (kind < 0.3) return { status: [400, 429, 500, 503][Math.floor(Math.random() * 4)]! };
  if (kind < 0.4) return { ...common, errorAfter: 1 + Math.floor(Math.random() * chunks.length) };
  if (kind < 0.5) return { ...common, cutAtByte: 0.5 };
  return { ...common, cutAtByte: 1 + Math.floor(Math.random() * 120 * chunks.length) };
}

function toPicoUsd(amount: string): bigint {
  return BigInt(amount.replace('.', ''));
}

function toUsd(amount: bigint): string {
  return `${amount / 1_000_000_000_000n}.${String(amount % 1_000_000_000_000n).padStart(12, '0')}`;
}
