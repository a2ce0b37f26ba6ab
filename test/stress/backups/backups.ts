import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bootstrapDatabase, revertLatestMigration, runMigrations } from '../../../src/local-services/database-setup';
import { writeBackup, type Manifest } from '../../../src/backups/storage/backup-file';
import { buildFileName } from '../../../src/backups/storage/backup-store';
import { dumpArchive, findTools, type PostgresTools } from '../../../src/backups/restore/postgres-tools';
import {
  buildCanaryContext,
  buildOwnerUrl,
  checkBackup,
  type ExpectedFile,
  hashCanary,
  StreamDigest,
} from '../../../src/backups/restore/restore-check';
import { ScratchCluster } from '../../../src/backups/restore/scratch-cluster';
import { withSnapshot, type Snapshot } from '../../../src/backups/snapshot';
import { withDirectConnection, type DirectConnection } from '../../../src/platform/database/driver/direct-connection';
import { LocalMasterKeys, type MasterKeys } from '../../../src/platform/encryption/master-keys';
import { associatedData, type WrappedDataKey } from '../../../src/platform/encryption/data-keys';
import { collectBytes, splitIntoChunks } from '../../support/byte-streams';
import { createMasterKey, InMemoryDataKeys, createEncryption, type TestMasterKey } from '../../support/encryption';
import { MUTATIONS, type Mutation } from './backup-mutations';

const execute = promisify(execFile);

/** The programs of the PostgreSQL that npm installs. */
const MAJOR = 15;
const BACKUP_ID = 1;

/** Sizes of the scenario. */
export interface BackupsOptions {
  /** Mutations of each kind, from the first; all of them by default. */
  readonly ofEachKind?: number;
}

/** All mutations must be detected, and the intact backup must pass before and after them. */
export interface BackupsResult {
  readonly soundPasses: number;
  readonly mutations: number;
  readonly caught: number;
  /** Mutations that passed the check. */
  readonly missed: readonly string[];
  /** The check's message for each mutation. */
  readonly said: Readonly<Record<string, string>>;
  /** The error when the app's login makes a backup. */
  readonly appRefused: string;
}

/** Makes a backup of a small installation, then damages it in many ways, and runs the restore check on each. */
export async function stressBackups({ ofEachKind = Infinity }: BackupsOptions = {}): Promise<BackupsResult> {
  const cluster = await ScratchCluster.start(MAJOR);
  try {
    return await cluster.withDatabase(async (url) => {
      const tries = new MutationTests(cluster, await findTools(MAJOR), url);
      await tries.prepare();
      const said: Record<string, string> = {};
      const missed: string[] = [];
      const sound = [await tries.check(await tries.createSound())];
      for (const mutation of Object.values(MUTATIONS).flatMap((kind) => kind.slice(0, ofEachKind))) {
        const answer = await tries.tryMutation(mutation);
        if (answer === 'passed') missed.push(mutation.name);
        else said[mutation.name] = answer;
      }
      sound.push(await tries.check(await tries.createSound()));
      const caught = Object.keys(said).length;
      return {
        soundPasses: sound.filter((answer) => answer === 'passed').length,
        mutations: caught + missed.length,
        caught,
        missed,
        said,
        appRefused: await tries.checkAppDump(),
      };
    });
  } finally {
    await cluster.close();
  }
}

/** A file and the row of its backup. */
interface Candidate {
  readonly file: Buffer;
  readonly expected: ExpectedFile;
  readonly keys: MasterKeys;
}

class MutationTests {
  private readonly key = createMasterKey('k1');
  private readonly masterKeys = createMasterKeys(this.key);
  private readonly name = buildFileName(BACKUP_ID, new Date());
  private readonly appPassword = randomBytes(12).toString('hex');
  private hash = '';
  private original: Promise<{ file: Buffer; manifest: Manifest }> | undefined;

  constructor(
    private readonly cluster: ScratchCluster,
    private readonly tools: PostgresTools,
    private readonly url: string,
  ) {}

  /** Migrates, and inserts rows of every kind. */
  async prepare(): Promise<void> {
    await runMigrations(buildOwnerUrl(this.url));
    const store = new InMemoryDataKeys();
    const encryption = createEncryption(store, this.key);
    const canary = randomBytes(24).toString('base64url');
    const sealKey = randomUUID();
    const sealed = await encryption.seal(canary, buildCanaryContext(sealKey));
    this.hash = hashCanary(canary);
    await withDirectConnection(this.url, async (connection) => {
      await connection.query(FILL_DATABASE);
      const users = await connection.query<{ id: number }>('SELECT id FROM users');
      await connection.query(
        'INSERT INTO backups (started_by, status, seal_key, encrypted_canary) VALUES ($1, $2, $3, $4)',
        ['boot', 'running', sealKey, sealed],
      );
      await this.putKey(connection, (await store.ofUser(null))!);
      for (const { id } of users) await this.putKey(connection, await this.createDataKey(id));
      await connection.query(`ALTER ROLE gigvault_app PASSWORD '${this.appPassword}'`);
    });
  }

  /** Returns the intact backup. */
  async createSound(): Promise<Candidate> {
    const { file } = await this.readOriginals();
    return this.buildCandidate(file);
  }

  /** Returns the message of the check, or 'passed'. */
  async check({ file, expected, keys }: Candidate): Promise<string> {
    const with_ = { cluster: this.cluster, tools: this.tools, masterKeys: keys };
    return checkBackup(splitIntoChunks(file), expected, with_).then(
      () => 'passed',
      (error: Error) => error.message,
    );
  }

  async tryMutation(mutation: Mutation): Promise<string> {
    const { file, manifest } = await this.readOriginals();
    if ('bytes' in mutation) return this.check(await this.buildCandidate(mutation.bytes(file)));
    if ('keys' in mutation) {
      const other = createMasterKeys(createMasterKey(mutation.keys === 'none of these' ? 'k2' : 'k1'));
      return this.check({ ...(await this.buildCandidate(file)), keys: other });
    }
    if ('archive' in mutation) {
      const archive = await this.createArchiveOf(mutation.archive);
      if (typeof archive === 'string') return archive;
      return this.check(await this.buildCandidate(await this.writeFile(manifest, archive)));
    }
    return this.withCopy(mutation.sql, async (copy) => {
      const made = await this.createArchive(copy);
      return this.check(
        await this.buildCandidate(
          await this.writeFile(mutation.manifest === 'own' ? made.manifest : manifest, made.archive),
        ),
      );
    });
  }

  /** Returns the error when the app's login makes a backup. */
  checkAppDump(): Promise<string> {
    return this.snapshot(this.buildAppUrl(this.url), () => Promise.resolve('it was made')).catch(
      (error: Error) => error.message,
    );
  }

  private readOriginals(): Promise<{ file: Buffer; manifest: Manifest }> {
    this.original ??= this.createArchive(this.url).then(async ({ manifest, archive }) => ({
      manifest,
      file: await this.writeFile(manifest, archive),
    }));
    return this.original;
  }

  private async createArchive(url: string): Promise<{ manifest: Manifest; archive: Buffer }> {
    return this.snapshot(url, async ({ id, manifest }) => ({
      manifest,
      archive: await collectBytes(dumpArchive(this.tools, { url, snapshot: id })),
    }));
  }

  private snapshot<T>(url: string, work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    return withSnapshot(url, { backupId: BACKUP_ID, canaryHash: this.hash }, work);
  }

  private writeFile(manifest: Manifest, archive: Buffer): Promise<Buffer> {
    return collectBytes(writeBackup(this.name, manifest, splitIntoChunks(archive), this.masterKeys));
  }

  private async buildCandidate(file: Buffer): Promise<Candidate> {
    const { manifest } = await this.readOriginals();
    const measure = new StreamDigest();
    await collectBytes(measure.track(splitIntoChunks(file)));
    const { sizeBytes, sha256 } = measure;
    return {
      file,
      keys: this.masterKeys,
      expected: { backupId: BACKUP_ID, fileName: this.name, sizeBytes, sha256, migration: manifest.migrations.at(-1)! },
    };
  }

  /** Returns another archive, or the message of a pg_dump that refuses to make it. */
  private async createArchiveOf(
    kind: 'nothing' | 'empty database' | 'schema only' | 'as the app',
  ): Promise<Buffer | string> {
    if (kind === 'nothing') return Buffer.alloc(0);
    if (kind === 'empty database') return this.cluster.withDatabase((url) => this.dump(url));
    if (kind === 'schema only') return this.dump(this.url, '--schema-only');
    // If that login could read every table, pg_dump would succeed without rows, because of row security. The minor
    // releases since August 2024 refuse, because the policies read a view.
    return this.withCopy(
      `GRANT SELECT ON ALL TABLES IN SCHEMA public, app, audit TO gigvault_app;
       GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO gigvault_app`,
      (copy) =>
        this.dump(this.buildAppUrl(copy), '--enable-row-security').catch(({ message }: Error) => {
          if (message.includes('access to non-system view')) return message;
          throw new Error(message);
        }),
    );
  }

  /** Copies the database as an operator might do by hand. */
  private async dump(url: string, ...options: string[]): Promise<Buffer> {
    const all = ['--format=custom', '--exclude-schema=secrets', ...options, url];
    const { stdout } = await execute(join(this.tools.folder, 'pg_dump'), all, {
      encoding: 'buffer',
      maxBuffer: 64 * 1_024 * 1_024,
    });
    return stdout;
  }

  private buildAppUrl(url: string): string {
    return Object.assign(new URL(url), { username: 'gigvault_app', password: this.appPassword }).href;
  }

  private async withCopy<T>(sql: string, work: (url: string) => Promise<T>): Promise<T> {
    const name = new URL(this.url).pathname.slice(1);
    const at = (database: string): string => Object.assign(new URL(this.url), { pathname: `/${database}` }).href;
    const onServer = (statement: string) =>
      withDirectConnection(at('postgres'), (connection) => connection.query(statement));
    await onServer(`CREATE DATABASE ${name}_copy TEMPLATE ${name}`);
    await bootstrapDatabase(at, `${name}_copy`);
    try {
      const copy = at(`${name}_copy`);
      if (sql === 'last migration undone') await revertLatestMigration(buildOwnerUrl(copy));
      // Without triggers and foreign keys, as only a fault would do it.
      else
        await withDirectConnection(copy, (connection) =>
          connection.query(`SET session_replication_role = replica; ${sql}`),
        );
      return await work(copy);
    } finally {
      await onServer(`DROP DATABASE ${name}_copy WITH (FORCE)`);
    }
  }

  private async createDataKey(userId: number) {
    const keyId = randomUUID();
    return {
      userId,
      keyId,
      wrappedKey: await this.masterKeys.wrap(randomBytes(32), associatedData({ userId, keyId })),
    };
  }

  private async putKey(connection: DirectConnection, { userId, keyId, wrappedKey }: WrappedDataKey): Promise<void> {
    await connection.query('INSERT INTO data_keys (user_id, key_id, wrapped_key) VALUES ($1, $2, $3)', [
      userId,
      keyId,
      wrappedKey,
    ]);
  }
}

/** Inserts ten users with ten jobs, proposals and messages each. */
const FILL_DATABASE = `
  INSERT INTO users (email, encrypted_password, is_verified)
    SELECT 'user' || n || '@example.org', 'none', true FROM generate_series(1, 10) n;
  INSERT INTO jobs (user_id, source_key, title, budget_min, budget_max, skills)
    SELECT u.id, 'upwork:' || u.id || '-' || n, 'A job like any other ' || md5(n::text), 100, 200, ARRAY['SQL']
    FROM users u, generate_series(1, 10) n;
  INSERT INTO proposals (user_id, job_id, cover_letter) SELECT user_id, id, 'I have done this before.' FROM jobs;
  INSERT INTO messages (user_id, job_id, sender_type, content)
    SELECT user_id, id, 'client', repeat(md5(id::text), 40) FROM jobs;
  SELECT refresh_user_job_stats();`;

function createMasterKeys(...keys: readonly TestMasterKey[]): MasterKeys {
  return new LocalMasterKeys({ encryption: { keys, keyFile: undefined } });
}
