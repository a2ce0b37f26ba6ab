import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { KeyFile } from '../../../src/platform/encryption/key-file';
import type { WrappedDataKey } from '../../../src/platform/encryption/data-keys';
import { BenchServices } from '../../bench/services';
import { BenchServerProcess } from '../../bench/server-process';
import { Caller } from '../../support/caller';
import { enableTotp } from '../../support/accounts';
import { createEncryption, createKeyFile, InMemoryDataKeys } from '../../support/encryption';
import { buildServers } from '../build-servers';
import { ChildProgram } from '../child';
import { ADMIN_SETTINGS } from '../installation';
import { pause } from '../../support/wait-for';

/** Sizes of the scenario. */
export interface KeyRotationOptions {
  /** Users with a data key and one connection each; the access token is the counted secret. */
  readonly secrets: number;
  /** Further users in the range of each load process, who get their first secret meanwhile. */
  readonly newcomers: number;
  /** How often the worker is killed with SIGKILL during the rotation and restarted. */
  readonly kills: number;
  readonly loads: number;
  /** A pause in every batch, so that a kill hits a small rotation. */
  readonly batchPauseMs?: number;
}

/** The result; the last four must be 0, and `finished` true. */
export interface KeyRotationResult {
  readonly secrets: number;
  readonly kills: number;
  readonly finished: boolean;
  /** The number of task runs. */
  readonly runs: number;
  readonly seconds: number;
  readonly reads: number;
  readonly writes: number;
  readonly firstSecrets: number;
  readonly failed: number;
  readonly onTheOldKey: number;
  /** Checked after the old key was deleted, by a process that never had it. */
  readonly unopened: number;
  readonly failedRequests: number;
}

interface LoadCounts {
  readonly reads: number;
  readonly writes: number;
  readonly firstSecrets: number;
  readonly failed: number;
  readonly failure: string;
}

interface SecretRow extends WrappedDataKey {
  readonly userId: number;
  readonly sealKey: string;
  readonly sealed: string;
}

const BATCH_SIZE = 5_000;
const REASON = { reason: 'a stress scenario' };

/**
 * Fills a database with users who have a data key and a sealed connection each. An admin rotates the key file over HTTP
 * while other processes read and write such secrets, and the worker is killed repeatedly. Then the old key is deleted,
 * and every secret is opened with the remaining keys.
 */
export async function stressKeyRotation(options: KeyRotationOptions): Promise<KeyRotationResult> {
  buildServers();
  const scenario = new KeyRotationRun(options);
  try {
    return await scenario.run();
  } finally {
    await scenario.stop();
  }
}

class KeyRotationRun {
  private readonly services = new BenchServices();
  private readonly file = createKeyFile();
  private readonly children: ChildProgram[] = [];
  private api: BenchServerProcess | undefined;
  private client: Client | undefined;

  constructor(private readonly options: KeyRotationOptions) {}

  async run(): Promise<KeyRotationResult> {
    const { secrets, loads, newcomers, kills } = this.options;
    await this.services.start();
    const firstUser = await this.fill();
    this.api = await BenchServerProcess.start('product', this.buildEnvironment());
    const loading = Array.from({ length: loads }, () =>
      this.startChild(['test/stress/encryption/key-rotation-load.ts', ...[firstUser, secrets, newcomers].map(String)]),
    );
    await Promise.all(loading.map((load) => load.waitForLine('ready')));
    const admin = await this.signIn();
    // A starting worker makes a backup, and one made before the last data key is rewrapped keeps the old key in use.
    const paused = await admin.post('/v1/admin/tasks/backup/pause', REASON);
    const began = performance.now();
    const asked = await admin.post('/v1/admin/encryption-keys/rotate', REASON);
    const killed = await this.killWorkers(kills);
    const finished = await this.waitForEnd();
    const seconds = Math.round((performance.now() - began) / 1_000);
    for (const load of loading) load.writeLine('stop');
    const counts = await Promise.all(
      loading.map(async (load) => JSON.parse(await load.waitForLine('counts ')) as LoadCounts),
    );
    const failures = counts.flatMap(({ failure }) => failure || []);
    if (failures.length > 0) console.error(failures.join('\n'));
    const onTheOldKey = await this.count(
      `SELECT count(*) AS n FROM data_keys WHERE split_part(wrapped_key, '.', 2) = 'k1'`,
    );
    const retired = await this.retire(admin);
    const refused = [paused, asked, retired].filter(({ status }) => status >= 300);
    if (refused.length > 0) console.error(refused.map(({ body }) => JSON.stringify(body)).join('\n'));
    const sum = (name: 'reads' | 'writes' | 'firstSecrets' | 'failed') =>
      counts.reduce((total, one) => total + one[name], 0);
    return {
      secrets,
      kills: killed,
      finished,
      runs: await this.count(
        `SELECT count(*) AS n FROM task_runs WHERE task = 'rotate-encryption-keys' AND outcome <> 'skipped'`,
      ),
      seconds,
      reads: sum('reads'),
      writes: sum('writes'),
      firstSecrets: sum('firstSecrets'),
      failed: sum('failed'),
      onTheOldKey,
      unopened: await this.countUnopened(),
      failedRequests: refused.length,
    };
  }

  async stop(): Promise<void> {
    await Promise.all(this.children.map((child) => child.end('SIGKILL')));
    await this.api?.stop();
    await this.client?.end();
    await this.services.stop();
    this.file.remove();
  }

  private buildEnvironment(): Record<string, string> {
    return {
      ...this.services.buildEnvironment(),
      ...ADMIN_SETTINGS,
      ...this.file.settings,
      TASK_LEASE_SECONDS: '2',
      DATABASE_CONNECT_TIMEOUT_MS: '60000',
    };
  }

  private startChild(args: readonly string[]): ChildProgram {
    const child = new ChildProgram(args, this.buildEnvironment());
    this.children.push(child);
    return child;
  }

  /** Inserts the users and their sealed values in bulk; returns the first id. */
  private async fill(): Promise<number> {
    const { secrets, newcomers, batchPauseMs } = this.options;
    const { current, keys } = new KeyFile(this.file.settings['ENCRYPTION_KEY_FILE']!).read();
    const store = new InMemoryDataKeys();
    const encryption = createEncryption(store, { id: current, key: keys.get(current)! });
    const first = await this.count(`INSERT INTO users (email, encrypted_password, is_verified)
      SELECT 'user' || g || '@example.org', 'none', true
      FROM generate_series(1, ${secrets + newcomers}) g RETURNING id AS n`);
    for (let from = first; from < first + secrets; from += BATCH_SIZE) {
      const rows = [];
      for (let userId = from; userId < Math.min(from + BATCH_SIZE, first + secrets); userId++) {
        const sealKey = randomUUID();
        const place = { table: 'user_tokens', userId, sealKey };
        const access = await encryption.seal(`access ${userId} 0`, { ...place, column: 'encrypted_access_token' });
        const refresh = await encryption.seal(`refresh ${userId} 0`, { ...place, column: 'encrypted_refresh_token' });
        rows.push({ userId, sealKey, access, refresh, ...store.rows.get(userId) });
      }
      await this.query(FILL_DATA_KEYS, [JSON.stringify(rows)]);
      await this.query(FILL_TOKENS, [JSON.stringify(rows)]);
    }
    if (batchPauseMs !== undefined) {
      await this.query(`
        CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql
          AS $$ BEGIN PERFORM pg_sleep(${batchPauseMs / 1_000}); RETURN NULL; END $$;
        REVOKE EXECUTE ON FUNCTION pause() FROM PUBLIC`);
      await this.query('CREATE TRIGGER pause AFTER UPDATE ON data_keys FOR EACH STATEMENT EXECUTE FUNCTION pause()');
    }
    await this.query('ANALYZE');
    return first;
  }

  /** Signs the admin in and sets up the second factor, which admins need in production. */
  private async signIn(): Promise<Caller> {
    const url = `http://127.0.0.1:${this.api!.port}`;
    const { GIGVAULT_ADMIN_EMAIL: email, GIGVAULT_ADMIN_PASSWORD: password } = ADMIN_SETTINGS;
    const { body } = await new Caller(url).post('/v1/auth/login', { email, password });
    const admin = new Caller(url, body.accessToken);
    const { authenticator } = await enableTotp(admin, { password });
    await admin.post('/v1/auth/step-up', { password, code: authenticator.generateCode() });
    return admin;
  }

  /** Kills the worker after each share of the work and starts another; the last one survives. */
  private async killWorkers(kills: number): Promise<number> {
    let worker = this.startChild(['dist/src/worker.js']);
    for (let killed = 0; ; killed++) {
      if (killed === kills) return killed;
      const before = await this.countRewrapped();
      const step = Math.max(1, Math.floor((this.options.secrets - before) / (kills - killed + 1)));
      while ((await this.countRewrapped()) < before + step) {
        if (worker.hasExited) throw new Error('the worker ended by itself');
        if (await this.isFinished()) return killed;
        await pause(20, 'the worker is a process of its own');
      }
      await worker.end('SIGKILL');
      worker = this.startChild(['dist/src/worker.js']);
    }
  }

  private async waitForEnd(): Promise<boolean> {
    for (
      const until = Date.now() + 10 * 60_000;
      Date.now() < until;
      await pause(100, 'the worker is a process of its own')
    )
      if (await this.isFinished()) return true;
    return false;
  }

  private async retire(admin: Caller) {
    // The minute within which a late wrapping could still come.
    await this.query(`UPDATE key_rotations SET finished_at = finished_at - interval '1 minute'`);
    return admin.post('/v1/admin/encryption-keys/k1/retire', REASON);
  }

  /** Opens every secret as a newly started process would. */
  private async countUnopened(): Promise<number> {
    const { keys } = new KeyFile(this.file.settings['ENCRYPTION_KEY_FILE']!).read();
    const left = [...keys].map(([id, key]) => ({ id, key }));
    let unopened = 0;
    for (const { userId, keyId, wrappedKey, sealKey, sealed } of await this.query<SecretRow>(SECRETS)) {
      const store = new InMemoryDataKeys();
      store.rows.set(userId, { userId, keyId, wrappedKey });
      const place = { table: 'user_tokens', column: 'encrypted_access_token', userId, sealKey };
      const text = await createEncryption(store, ...left)
        .open(sealed, place)
        .catch(() => '');
      if (!text.startsWith(`access ${userId} `)) unopened += 1;
    }
    return unopened;
  }

  private countRewrapped(): Promise<number> {
    return this.count(`SELECT count(*) AS n FROM data_keys WHERE split_part(wrapped_key, '.', 2) <> 'k1'`);
  }

  private async isFinished(): Promise<boolean> {
    return (await this.count(`SELECT count(*) AS n FROM key_rotations WHERE finished_at IS NOT NULL`)) > 0;
  }

  private async count(statement: string): Promise<number> {
    const [row] = await this.query<{ n: string }>(statement);
    return Number(row?.n);
  }

  private async query<Row extends object>(statement: string, values: unknown[] = []): Promise<Row[]> {
    if (!this.client) {
      this.client = new Client({ connectionString: this.services.buildUrl('superuser') });
      await this.client.connect();
    }
    return (await this.client.query(statement, values)).rows as Row[];
  }
}

const RECORDS = `jsonb_to_recordset($1::jsonb)
  AS r ("userId" bigint, "keyId" uuid, "wrappedKey" text, "sealKey" uuid, access text, refresh text)`;
const FILL_DATA_KEYS = `
  INSERT INTO data_keys (user_id, key_id, wrapped_key) SELECT "userId", "keyId", "wrappedKey" FROM ${RECORDS}`;
const FILL_TOKENS = `
  INSERT INTO user_tokens (user_id, seal_key, encrypted_access_token, encrypted_refresh_token, expires_at)
  SELECT "userId", "sealKey", access, refresh, now() + interval '1 day' FROM ${RECORDS}`;
const SECRETS = `
  SELECT t.user_id::integer AS "userId", k.key_id AS "keyId", k.wrapped_key AS "wrappedKey", t.seal_key AS "sealKey",
    t.encrypted_access_token AS sealed
  FROM user_tokens t JOIN data_keys k USING (user_id)`;
