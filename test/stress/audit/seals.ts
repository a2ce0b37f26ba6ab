import { randomInt } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Pool } from 'pg';
import { AuditSealer } from '../../../src/audit/seals/audit-sealer';
import { LogVerifier, type VerificationReport } from '../../../src/audit/seals/log-verifier';
import { NoteSigner, parseCheckpoint, parseNote } from '../../../src/audit/seals/signed-note';
import { loadConfig } from '../../../src/platform/config/load-config';
import { pgTypes } from '../../../src/platform/database/driver/direct-connection';
import { RolePools } from '../../../src/platform/database/driver/role-pools';
import { SystemDatabase } from '../../../src/platform/database/system-database';
import { createStressServices } from '../stress-services';
import { ROW_ATTACKS, SEAL_ATTACKS, type Attack, type Owner } from './tamperings';

/** Sizes of the scenario. */
export interface SealsOptions {
  /** Rows of audit_logs. */
  readonly rows: number;
  /** Tamperings with rows, of which up to a hundred are verified at a time. */
  readonly rowTamperings: number;
  /** Tamperings with seals, verified without comparing rows; those that change nothing elsewhere, several at a time. */
  readonly sealTamperings: number;
  readonly cleanRuns: number;
  readonly onProgress?: (text: string) => void;
}

/** What was found. Times in ms. */
export interface SealsResult {
  readonly rows: number;
  readonly seals: number;
  readonly sealMs: readonly number[];
  readonly verifyMs: readonly number[];
  /** The longest time for which a verification blocked the event loop. */
  readonly longestBlockMs: number;
  /** The largest memory of the process during a verification, in MB. */
  readonly peakMemoryMb: number;
  readonly tamperings: Readonly<Record<string, number>>;
  /** Descriptions of the tamperings that were not found at their place. */
  readonly missed: readonly string[];
  readonly falseAlarms: number;
}

const ORIGIN = 'gigvault.example.org/audit';
const ROWS_AT_ONCE = 100_000;
const TAMPERINGS_AT_ONCE = 100;

/** Rows like those of creates and changes of jobs. */
const INSERT_ROWS = `
  INSERT INTO audit_logs (user_id, table_name, record_id, action, old_values, new_values, ip_address, actor_kind,
    actor_id, request_id, operation)
  SELECT 1 + n % 100, 'jobs', n, CASE n % 2 WHEN 0 THEN 'INSERT' ELSE 'UPDATE' END,
    CASE n % 2 WHEN 1 THEN jsonb_build_object('title', 'Job ' || n, 'is_favorite', false) END,
    CASE n % 2 WHEN 1 THEN jsonb_build_object('title', 'Job ' || n || ' again', 'is_favorite', true)
      ELSE jsonb_build_object('id', n, 'user_id', 1 + n % 100, 'title', 'Job ' || n,
        'description', repeat('text ', 120), 'skills', jsonb_build_array('SQL', 'Node'), 'budget_max', n % 1000) END,
    '192.0.2.1', 'user', 1 + n % 100, gen_random_uuid()::text, 'PATCH /v1/jobs/:id'
  FROM generate_series($1::bigint, $2::bigint) n`;

/** Seals many rows, verifies them, and changes them as the owner of the database in many ways. */
export async function stressSeals(options: SealsOptions): Promise<SealsResult> {
  const services = createStressServices();
  await services.start();
  // The scenario runs for an hour beside other programs.
  const patience = { DATABASE_CONNECT_TIMEOUT_MS: '60000', DATABASE_STATEMENT_TIMEOUT_MS: '120000' };
  const config = loadConfig({ ...services.buildEnvironment(), ...patience });
  const pools = new RolePools(config);
  const owner = new Pool({ connectionString: services.buildUrl('superuser'), types: pgTypes });
  const query: Owner['query'] = async (sql, values) => (await owner.query(sql, values as unknown[])).rows as never;
  try {
    return await new SealsScenario(new SystemDatabase(pools, config), query, options).run();
  } finally {
    await owner.end();
    await pools.onApplicationShutdown();
    await services.stop();
  }
}

class SealsScenario {
  private readonly signer = new NoteSigner(ORIGIN, Buffer.alloc(32, 7));
  private readonly sealer: AuditSealer;
  private readonly owner: Owner;
  private readonly verifyMs: number[] = [];
  private readonly tamperings: Record<string, number> = {};
  private readonly missed: string[] = [];
  private readonly load = { longestBlockMs: 0, peakMemoryMb: 0 };
  private head = '';

  constructor(
    private readonly database: SystemDatabase,
    private readonly query: Owner['query'],
    private readonly options: SealsOptions,
  ) {
    this.sealer = new AuditSealer(database, () => this.signer);
    const stranger = new NoteSigner(ORIGIN, Buffer.alloc(32, 8));
    const resealer = new AuditSealer(database, () => stranger);
    this.owner = { query, signer: stranger, reseal: () => sealAll(resealer) };
  }

  async run(): Promise<SealsResult> {
    const { rows, rowTamperings, sealTamperings, cleanRuns } = this.options;
    const sealMs = await this.fill(rows);
    this.head = (await this.sealer.readHead())!.checkpoint;
    for (let done = 0; done < rowTamperings; done += TAMPERINGS_AT_ONCE)
      await this.tamperWithRows(Math.min(TAMPERINGS_AT_ONCE, rowTamperings - done));
    await this.tamperWithSeals(sealTamperings);
    let falseAlarms = 0;
    for (let i = 0; i < cleanRuns; i += 1) falseAlarms += (await this.verify(`clean run ${i + 1}`)).differences;
    const [seals] = await this.query<{ count: number }>('SELECT count(*)::integer AS count FROM audit.seals');
    const { verifyMs, load, tamperings, missed } = this;
    return { rows, seals: seals!.count, sealMs, verifyMs, ...load, tamperings, missed, falseAlarms };
  }

  private async fill(rows: number): Promise<number[]> {
    const times: number[] = [];
    await sealAll(this.sealer);
    for (let from = 1; from <= rows; from += ROWS_AT_ONCE) {
      await this.query(INSERT_ROWS, [from, Math.min(rows, from + ROWS_AT_ONCE - 1)]);
      const began = performance.now();
      await this.sealer.sealNext();
      times.push(Math.round(performance.now() - began));
    }
    // The floor rises to the last rows by two further seals.
    for (const last of [rows + 1, rows + 2]) {
      await this.query(INSERT_ROWS, [last, last]);
      await sealAll(this.sealer);
    }
    return times;
  }

  private async verify(name: string, range?: { from: Date }): Promise<VerificationReport> {
    const began = performance.now();
    const head = parseCheckpoint(parseNote(this.head)!.text);
    const read = this.database.asScheduler.bind(this.database);
    const stopMeasuring = this.measureLoad();
    const report = await new LogVerifier(read, { keys: [this.signer.verifier], heads: [head] }, range).verify();
    stopMeasuring();
    const ms = Math.round(performance.now() - began);
    if (!range) this.verifyMs.push(ms);
    this.options.onProgress?.(`${name}: ${report.differences} differences, ${ms} ms, missed ${this.missed.length}`);
    return report;
  }

  private measureLoad(): () => void {
    const { load } = this;
    const delays = monitorEventLoopDelay({ resolution: 5 });
    delays.enable();
    const sampler = setInterval(() => {
      load.peakMemoryMb = Math.max(load.peakMemoryMb, Math.round(process.memoryUsage.rss() / 1e6));
    }, 50);
    return () => {
      clearInterval(sampler);
      delays.disable();
      load.longestBlockMs = Math.max(load.longestBlockMs, Math.round(delays.max / 1e6));
    };
  }

  /** Each tampering is with a row of its own. */
  private async tamperWithRows(count: number): Promise<void> {
    const { rows } = this.options;
    const step = Math.floor(rows / count);
    const [first] = await this.query<{ id: number }>(
      'SELECT min(id) AS id FROM audit_logs WHERE record_id IS NOT NULL',
    );
    const targets = Array.from({ length: count }, (_, i) => first!.id + i * step + randomInt(Math.max(1, step - 2)));
    await this.query(
      'CREATE TABLE public.kept AS SELECT * FROM audit_logs WHERE id = ANY($1::bigint[]) OR id - 1 = ANY($1::bigint[])',
      [targets],
    );
    const attacks = targets.map((id) => [id, ROW_ATTACKS[randomInt(ROW_ATTACKS.length)]!] as const);
    for (const [id, attack] of attacks) await attack.run(this.owner, id);
    const report = await this.verify(`${count} changed rows`);
    const places = new Set(report.tampering.map(({ place }) => place));
    for (const [id, attack] of attacks) this.count(attack, places.has(attack.place?.(id) ?? `audit_logs ${id}`), id);
    await this.query('DELETE FROM audit_logs WHERE id < 0 OR id IN (SELECT id FROM public.kept)');
    await this.query(`INSERT INTO audit_logs OVERRIDING SYSTEM VALUE SELECT * FROM public.kept`);
    await this.query('DROP TABLE public.kept');
  }

  private async tamperWithSeals(count: number): Promise<void> {
    const attacks = Array.from({ length: count }, (_, i) => SEAL_ATTACKS[i % SEAL_ATTACKS.length]!);
    const [last] = await this.query<{ id: number }>('SELECT max(id)::integer AS id FROM audit.seals');
    const seals = Array.from({ length: last!.id - 1 }, (_, i) => i + 1);
    for (const attack of attacks.filter(({ isIndependent }) => !isIndependent))
      await this.tamperAtOnce([[attack, 1 + randomInt(seals.length)]], last!.id);
    const independent = attacks.filter(({ isIndependent }) => isIndependent);
    for (let done = 0; done < independent.length; done += seals.length) {
      const targets = seals.map((id) => [randomInt(2 ** 32), id] as const).sort(([left], [right]) => left - right);
      const group = independent.slice(done, done + seals.length);
      await this.tamperAtOnce(
        group.map((attack, i) => [attack, targets[i]![1]]),
        last!.id,
      );
    }
  }

  /** Changes of seals are found without comparing rows: none has a time in the future. */
  private async tamperAtOnce(attacks: readonly (readonly [Attack, number])[], lastSeal: number): Promise<void> {
    await this.query(`CREATE TABLE public.kept_seals AS SELECT * FROM audit.seals`);
    await this.query(`CREATE TABLE public.kept_tiles AS SELECT * FROM audit.tiles`);
    await this.query(
      `CREATE TABLE public.kept AS SELECT a.* FROM audit_logs a
       WHERE a.id > (SELECT audit_until FROM audit.seals WHERE id = $1 - 1)`,
      [lastSeal],
    );
    for (const [attack, target] of attacks) await attack.run(this.owner, target);
    const range = { from: new Date(Date.now() + 86_400_000) };
    const { tampering } = await this.verify(attacks.map(([{ name }]) => name).join(', '), range);
    for (const [attack, target] of attacks) {
      const wanted = attack.place?.(target) ?? `seal ${target}`;
      const isFound = tampering.some(({ place }) =>
        wanted.endsWith(' ') ? place.startsWith(wanted) : place === wanted,
      );
      this.count(attack, isFound, target);
    }
    await this.query('TRUNCATE audit.seals, audit.tiles');
    await this.query('INSERT INTO audit.seals SELECT * FROM public.kept_seals');
    await this.query('INSERT INTO audit.tiles SELECT * FROM public.kept_tiles');
    await this.query('DELETE FROM audit_logs WHERE id IN (SELECT id FROM public.kept)');
    await this.query('INSERT INTO audit_logs OVERRIDING SYSTEM VALUE SELECT * FROM public.kept');
    await this.query('DROP TABLE public.kept, public.kept_seals, public.kept_tiles');
  }

  private count({ name }: Attack, isFound: boolean, target: number): void {
    this.tamperings[name] = (this.tamperings[name] ?? 0) + 1;
    if (!isFound) this.missed.push(`${name} of ${target}`);
  }
}

async function sealAll(sealer: AuditSealer): Promise<void> {
  while ((await sealer.sealNext()) > 0);
}

/** @throws Error for a tampering that was not found, and for one that was found where there was none */
export function assertAllFound(result: SealsResult): SealsResult {
  if (result.missed.length > 0) throw new Error(`not found: ${result.missed.join(', ')}`);
  if (result.falseAlarms > 0) throw new Error(`${result.falseAlarms} false alarms`);
  return result;
}
