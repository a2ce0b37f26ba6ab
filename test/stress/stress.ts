import '../../src/platform/config/load-config';
import { stressAi } from './ai/ai';
import { assertNoFindings, stressAdversarial } from './adversarial/adversarial';
import { assertUserUnaffected, stressAttacker } from './attacker/attacker';
import { assertSealedOnce, stressLateWriters } from './audit/late-writers';
import { assertEqualToModel, stressRandomTransactions } from './audit/random-transactions';
import { assertAllFound, stressSeals } from './audit/seals';
import { stressBackups } from './backups/backups';
import { stressBodies } from './http/bodies';
import { stressCanary } from './encryption/canary';
import { stressEncryption } from './encryption/encryption';
import { assertErased, stressErasure } from './erasure/erasure';
import { assertFailedOver, stressFailover } from './failover/failover';
import { HaInstallation } from './failover/ha-installation';
import { assertRecovered, stressFaults } from './faults/faults';
import { stressScheduledRuns } from './scheduler/scheduled-runs';
import { assertCostBelow, measureDatabaseCost } from './database/database-cost';
import { assertUndone, stressUndo } from './history/undo';
import { stressGenerator } from './generator';
import { stressKills } from './database/kills';
import { stressPartitions } from './database/partitions';
import { assertServedFairly, stressRooms } from './rooms/rooms';
import { assertSentOnce, stressReplies } from './replies/replies';
import { stressTokenRefresh } from './tokens/token-refresh';
import { assertRotated, stressContextKeyRotation } from './encryption/context-key-rotation';
import { stressKeyRotation } from './encryption/key-rotation';
import { assertKeysStaySecret, stressKeyServiceOutage } from './encryption/key-service-outage';
import { readListingArgument, stressSearch } from './http/search';
import { stressStatusCorrection } from './database/status-correction';
import { stressTenants } from './database/tenants';
import { stressSignIn } from './http/sign-in';
import { stressStatistics } from './statistics/statistics';

/** How long each fault lasts. */
const FAULT_DURATIONS_MS = {
  'PostgreSQL frozen': 20_000,
  'Redis frozen': 10_000,
  'pool exhausted': 10_000,
  'disk full': 10_000,
  'Redis full': 5_000,
  'Redis read-only': 5_000,
  'PostgreSQL killed': 5_000,
};

/** The scenarios at full size, by name. */
const SCENARIOS: Readonly<Record<string, () => Promise<unknown>>> = {
  adversarial: async () => assertNoFindings(await stressAdversarial({ seed: 7, oneCaseOf: 1, inputs: 150 })),
  ai: () =>
    stressAi({
      budget: { rounds: 3, calls: 100 },
      ledger: { calls: 1_000, concurrency: 20 },
      streams: { streams: 500, samples: 100, spreadMs: 10_000, pauseMs: 1_000 },
      kills: { models: ['gpt-4', 'claude', 'gemini'], isAged: false },
    }),
  attacker: async () =>
    assertUserUnaffected(await stressAttacker({ baselineMs: 60_000, attackMs: 300_000, hashCost: 12 })),
  'audit-seals': async () =>
    assertAllFound(
      await stressSeals({
        rows: 1_000_000,
        rowTamperings: 800,
        sealTamperings: 200,
        cleanRuns: 100,
        onProgress: (text) => console.error(text),
      }),
    ),
  'random-transactions': async () =>
    assertEqualToModel(await stressRandomTransactions({ transactions: 1_000, users: 8 })),
  // Each writer has about a dozen transactions, open for up to 30 s for each of their rows.
  'late-writers': async () =>
    assertSealedOnce(await stressLateWriters({ writers: 64, transactions: 12, holdMs: 30_000, kills: 20 })),
  backups: () => stressBackups(),
  bodies: () => stressBodies({ boundMs: 200 }),
  canary: () => stressCanary(),
  encryption: () => stressEncryption({ cases: 100_000 }),
  erasure: async () => assertErased(await stressErasure({ imports: 200 })),
  faults: async () => assertRecovered(await stressFaults({ writers: 12, holdMs: FAULT_DURATIONS_MS })),
  failover: runFailovers,
  // Five minutes with three scheduled runs a second and a kill each minute.
  'scheduled-runs': () =>
    stressScheduledRuns({ apis: 3, workers: 2, tasks: 6, everySeconds: 2, firings: 1_000, killEveryMs: 60_000 }),
  'database-cost': async () => assertCostBelow(await measureDatabaseCost({ blocks: 60, unitsPerBlock: 400 }), 1.1),
  generator: () => stressGenerator(),
  kills: () => stressKills({ rounds: 20, writers: 8, jobsPerRound: 500 }),
  partitions: () => stressPartitions({ boundMs: 10_000, writers: 8, defaultRows: 200_000 }),
  replies: async () => assertSentOnce(await stressReplies({ rounds: 200 })),
  rooms: async () => assertServedFairly(await stressRooms({ rooms: 231, busy: 150, callsPerDay: 200, busyDays: 10 })),
  'token-refresh': () => stressTokenRefresh({ workers: 20, requests: 50 }),
  // Each outage lasts longer than the minute for which a data key is not unwrapped again.
  'key-service-outage': async () =>
    assertKeysStaySecret([
      await stressKeyServiceOutage({ service: 'vault', clients: 20, holdMs: 90_000 }),
      await stressKeyServiceOutage({ service: 'aws', clients: 20, holdMs: 90_000 }),
    ]),
  'context-key-rotation': async () =>
    assertRotated(await stressContextKeyRotation({ clients: 20, requestsPerStep: 300 })),
  'key-rotation': () => stressKeyRotation({ secrets: 100_000, newcomers: 2_000, kills: 20, loads: 2 }),
  // `npm run stress search -- --file listing.csv`; without a file it uses the demo's listing.
  search: () => stressSearch(readListingArgument(process.argv)),
  'status-correction': () => stressStatusCorrection({ rows: 10_000 }),
  tenants: () => stressTenants({ units: 10_000 }),
  statistics: () =>
    stressStatistics({
      users: 10_000,
      jobs: 1_000_000,
      readers: 8,
      readMs: 10_000,
      refreshes: { rounds: 20, requestsPerRound: 8, seconds: 20 },
    }),
  undo: async () => assertUndone(await stressUndo({ users: 6, undoes: 500, importRows: 3_000 })),
  'sign-in': () => stressSignIn({ flood: 200, accounts: 200 }),
};

/** Two installations: a frozen and a killed primary each leave one without a replica. */
async function runFailovers(): Promise<unknown> {
  const missing = HaInstallation.listMissing();
  if (missing.length > 0) return `skipped: needs ${missing.join(' and ')}: apt install ${missing.join(' ')}`;
  const options = { clients: 8, waitsForTask: true };
  const faults = ['api killed', 'rolling restart', 'redis frozen', 'redis killed', 'pgbouncer restarted'] as const;
  return assertFailedOver([
    await stressFailover({ ...options, faults: [...faults, 'replica cut off', 'postgres killed'] }),
    await stressFailover({ ...options, faults: ['postgres frozen'] }),
  ]);
}

/** `npm run stress [name]`: runs all scenarios, or one, and prints the results. */
async function main(): Promise<void> {
  const [wanted] = process.argv.slice(2);
  const names = wanted === undefined ? Object.keys(SCENARIOS) : [wanted];
  for (const name of names) {
    const scenario = SCENARIOS[name];
    if (!scenario) throw new Error(`There is no scenario ${name}; there are: ${Object.keys(SCENARIOS).join(', ')}`);
    const began = performance.now();
    const result = await scenario();
    console.log(name, JSON.stringify(result), `${Math.round((performance.now() - began) / 1000)} s`);
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
