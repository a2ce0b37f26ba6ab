import '../../src/platform/config/client-variables';
import { proveAi } from './ai/prove-ai';
import { assertClean, proveAdversarial } from './adversarial/prove-adversarial';
import { assertUnharmed, proveAttacker } from './attacker/prove-attacker';
import { proveBackups } from './backups';
import { proveBodies } from './bodies';
import { proveCanary } from './canary';
import { proveEncryption } from './encryption';
import { assertSurvived, proveFaults } from './faults/prove-faults';
import { proveFirings } from './firings';
import { assertCheap, proveGate } from './gate';
import { proveGenerator } from './generator';
import { proveKills } from './kills';
import { provePartitions } from './partitions';
import { proveRefresh } from './refresh';
import { proveRotation } from './rotation';
import { listingOf, proveSearch } from './search';
import { proveTenants } from './tenants';
import { proveSignIn } from './sign-in';
import { proveStats } from './stats';

/** How long each fault lasts. */
const FAULTS_MS = {
  'PostgreSQL frozen': 20_000,
  'Redis frozen': 10_000,
  'pool exhausted': 10_000,
  'disk full': 10_000,
  'Redis full': 5_000,
  'Redis read-only': 5_000,
  'PostgreSQL killed': 5_000,
};

/** The long proofs at full size, by name. */
const PROOFS: Readonly<Record<string, () => Promise<unknown>>> = {
  adversarial: async () => assertClean(await proveAdversarial({ seed: 7, oneCaseOf: 1, inputs: 150 })),
  ai: () =>
    proveAi({
      budget: { rounds: 3, calls: 200 },
      ledger: { calls: 1_000, atOnce: 20 },
      streams: { streams: 500, waitingMs: 5_000, spreadMs: 10_000, pauseMs: 1_000 },
      kills: { models: ['gpt-4', 'claude', 'gemini'], afterMs: 3_500, isAged: false },
    }),
  attacker: async () => assertUnharmed(await proveAttacker({ baselineMs: 60_000, attackMs: 300_000, hashCost: 12 })),
  backups: () => proveBackups(),
  bodies: () => proveBodies({ boundMs: 200 }),
  canary: () => proveCanary(),
  encryption: () => proveEncryption({ cases: 100_000 }),
  faults: async () => assertSurvived(await proveFaults({ writers: 12, holdMs: FAULTS_MS })),
  // Five minutes at three firings a second, a kill each minute.
  firings: () => proveFirings({ apis: 3, workers: 2, tasks: 6, everySeconds: 2, firings: 1_000, killEveryMs: 60_000 }),
  gate: async () => assertCheap(await proveGate({ blocks: 60, unitsPerBlock: 400 }), 1.1),
  generator: () => proveGenerator(),
  kills: () => proveKills({ rounds: 20, writers: 8, jobsPerRound: 500 }),
  partitions: () => provePartitions({ boundMs: 10_000, writers: 8, strays: 200_000 }),
  refresh: () => proveRefresh({ workers: 20, requests: 50 }),
  rotation: () => proveRotation({ secrets: 100_000, newcomers: 2_000, kills: 20, loads: 2 }),
  // `npm run prove search -- --file listing.csv`; without a file, the demo's listing.
  search: () => proveSearch(listingOf(process.argv)),
  tenants: () => proveTenants({ units: 10_000 }),
  stats: () =>
    proveStats({
      users: 10_000,
      jobs: 1_000_000,
      readers: 8,
      readMs: 10_000,
      refreshes: { rounds: 20, rings: 8, seconds: 20 },
    }),
  'sign-in': () => proveSignIn({ flood: 200, accounts: 200 }),
};

/** `npm run prove [name]`: runs all proofs, or one, and prints what they found. */
async function prove(): Promise<void> {
  const [wanted] = process.argv.slice(2);
  const names = wanted === undefined ? Object.keys(PROOFS) : [wanted];
  for (const name of names) {
    const proof = PROOFS[name];
    if (!proof) throw new Error(`There is no proof ${name}; there are: ${Object.keys(PROOFS).join(', ')}`);
    const began = performance.now();
    const result = await proof();
    console.log(name, JSON.stringify(result), `${Math.round((performance.now() - began) / 1000)} s`);
  }
}

prove().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
