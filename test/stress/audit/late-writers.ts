import { randomInt } from 'node:crypto';
import { Client } from 'pg';
import { AuditSealer } from '../../../src/audit/seals/audit-sealer';
import { LogVerifier } from '../../../src/audit/seals/log-verifier';
import { NoteSigner } from '../../../src/audit/seals/signed-note';
import { listIds } from '../../../src/audit/seals/tree-entries';
import { loadConfig } from '../../../src/platform/config/load-config';
import { pgTypes } from '../../../src/platform/database/driver/direct-connection';
import { RolePools } from '../../../src/platform/database/driver/role-pools';
import { SystemDatabase } from '../../../src/platform/database/system-database';
import { withClient } from '../../../src/local-services/database-setup';
import { pause } from '../../support/wait-for';
import { ChildProgram } from '../child';
import { createStressServices, type StressServices } from '../stress-services';

/** Sizes of the scenario. */
export interface LateWritersOptions {
  readonly writers: number;
  /** Transactions of each writer; each tenth is rolled back. */
  readonly transactions: number;
  /** Longest time that a transaction stays open, ms. */
  readonly holdMs: number;
  /** Times that one of two sealing processes is killed. */
  readonly kills: number;
}

/** What was found. The last three must be 0. */
export interface LateWritersResult {
  readonly rows: number;
  readonly seals: number;
  readonly kills: number;
  /** Committed rows that no seal covers. */
  readonly skipped: number;
  readonly sealedTwice: number;
  readonly tampering: number;
}

const WORKER = 'test/stress/audit/seal-worker.ts';

/** Seals in two processes, which are killed, while writers hold transactions open. */
export async function stressLateWriters(options: LateWritersOptions): Promise<LateWritersResult> {
  const services = createStressServices();
  await services.start();
  const pools = new RolePools(loadConfig(services.buildEnvironment()));
  try {
    const sealing = new Sealing(services);
    let isWriting = true;
    const killing = sealing.killTimes(options.kills, () => isWriting);
    await Promise.all(Array.from({ length: options.writers }, (_, i) => write(services, i, options)));
    isWriting = false;
    const kills = await killing;
    await sealing.end();
    const config = loadConfig(services.buildEnvironment());
    return { kills, ...(await check(new SystemDatabase(pools, config), services)) };
  } finally {
    await pools.onApplicationShutdown();
    await services.stop();
  }
}

/** Two processes that seal. */
class Sealing {
  private readonly children: ChildProgram[];

  constructor(private readonly services: StressServices) {
    this.children = [this.spawn(), this.spawn()];
  }

  /** Kills a process after it has sealed, and starts another, until nothing is written any more. */
  async killTimes(count: number, isWriting: () => boolean): Promise<number> {
    let kills = 0;
    while (kills < count && isWriting()) {
      const child = this.children[kills % 2]!;
      await child.waitForLine('ready');
      await pause(randomInt(1_000), 'a process is killed at any point of its work');
      await child.end('SIGKILL');
      this.children[kills % 2] = this.spawn();
      kills += 1;
    }
    return kills;
  }

  async end(): Promise<void> {
    await Promise.all(this.children.map((child) => child.end('SIGKILL')));
  }

  private spawn(): ChildProgram {
    const environment = { ...this.services.buildEnvironment(), PATH: process.env['PATH'] ?? '' };
    return new ChildProgram([WORKER], environment);
  }
}

async function write(services: StressServices, writer: number, options: LateWritersOptions): Promise<void> {
  const client = new Client({ connectionString: services.buildUrl('superuser'), types: pgTypes });
  await client.connect();
  for (let i = 0; i < options.transactions; i += 1) {
    await client.query('BEGIN');
    for (let row = 0; row <= i % 3; row += 1) {
      await client.query(
        `INSERT INTO audit_logs (table_name, record_id, action, new_values) VALUES ('jobs', $1, 'INSERT', '{"id": 1}')`,
        [writer],
      );
      await pause(randomInt(options.holdMs), 'the transaction stays open while others commit');
    }
    await client.query(i % 10 === 9 ? 'ROLLBACK' : 'COMMIT');
  }
  await client.end();
}

async function check(database: SystemDatabase, services: StressServices): Promise<Omit<LateWritersResult, 'kills'>> {
  const signer = new NoteSigner('gigvault.example.org/audit', Buffer.alloc(32, 7));
  const sealer = new AuditSealer(database, () => signer);
  while ((await sealer.sealNext()) > 0);
  const { tampering, seals } = await new LogVerifier((work) => database.asScheduler(work), {
    keys: [signer.verifier],
    heads: [],
  }).verify();
  return withClient(services.buildUrl('superuser'), async (client) => {
    const stored = await client.query<{ entries: Buffer }>('SELECT entries FROM audit.seals ORDER BY id');
    const ids = listIds(Buffer.concat(stored.rows.map(({ entries }) => entries)), 'audit', 0);
    const rows = (await client.query<{ id: string }>('SELECT id FROM audit_logs')).rows.map(({ id }) => Number(id));
    const sealed = new Set(ids);
    const skipped = rows.filter((id) => !sealed.has(id)).length;
    return { rows: rows.length, seals, skipped, sealedTwice: ids.length - sealed.size, tampering: tampering.length };
  });
}

/** @throws Error for a row that was skipped or sealed twice */
export function assertSealedOnce(result: LateWritersResult): LateWritersResult {
  const { skipped, sealedTwice, tampering } = result;
  if (skipped + sealedTwice + tampering > 0) throw new Error(`wrong seals: ${JSON.stringify(result)}`);
  return result;
}
