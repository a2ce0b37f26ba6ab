import { isDeepStrictEqual } from 'node:util';
import { Client } from 'pg';
import type { ContextSigner } from '../../../src/platform/database/context-signer';
import { pgTypes } from '../../../src/platform/database/driver/direct-connection';
import { createStressServices } from '../stress-services';
import { type AuditedChange, RowModel, type TableName } from './row-model';

/** Sizes of the scenario. */
export interface RandomTransactionsOptions {
  readonly transactions: number;
  /** Users that work at the same time. Each third transaction of theirs runs as psql's superuser. */
  readonly users: number;
}

/** What was compared, and what differed. */
export interface RandomTransactionsResult {
  readonly committed: number;
  readonly rolledBack: number;
  /** Audit rows that were expected and found. */
  readonly rows: number;
  readonly savepoints: number;
  readonly differences: readonly string[];
}

const MAX_STATEMENTS = 8;
const TABLES: readonly TableName[] = ['jobs', 'templates', 'messages', 'proposals'];

const IGNORED = 'SELECT table_name AS name, ignored_columns AS ignored FROM audit.audited_tables';

const LIST_CHANGES = `
  SELECT table_name AS "table", record_id AS id, action, old_values AS old, new_values AS new,
    actor_kind AS "actorKind", actor_id AS "actorId", request_id AS "requestId"
  FROM audit_logs a WHERE a.transaction_id = $1::text::xid8 AND a.table_name = ANY ($2)
  ORDER BY a.record_id, a.table_name, a.id`;

/** Runs random transactions of several users at once, and compares the audit log of each with a model of its rows. */
export async function stressRandomTransactions(options: RandomTransactionsOptions): Promise<RandomTransactionsResult> {
  const services = createStressServices();
  await services.start();
  const connect = async (role: 'app' | 'superuser'): Promise<Client> => {
    const client = new Client({ connectionString: services.buildUrl(role), types: pgTypes });
    await client.connect();
    await client.query(`SET timezone = 'UTC'`);
    return client;
  };
  const [owner, apps] = [
    await connect('superuser'),
    await Promise.all(Array.from({ length: options.users }, () => connect('app'))),
  ];
  const psqls = await Promise.all(apps.map(() => connect('superuser')));
  try {
    const { rows } = await owner.query<{ name: string; ignored: string[] }>(IGNORED);
    const ignored = new Map(rows.map(({ name, ignored: columns }) => [name, columns]));
    const count = Math.ceil(options.transactions / options.users);
    const users = await Promise.all(
      apps.map(async (app, i) => {
        const id = await createUser(psqls[i]!, i);
        return new RandomUser({ app, psql: psqls[i]!, id, signer: services.signer, model: new RowModel(ignored) });
      }),
    );
    await Promise.all(users.map((user) => user.run(count)));
    return users.map(({ result }): RandomTransactionsResult => result).reduce(addResults);
  } finally {
    await Promise.all([owner, ...apps, ...psqls].map((client) => client.end()));
    await services.stop();
  }
}

async function createUser(owner: Client, number: number): Promise<number> {
  const sql = `INSERT INTO users (email, encrypted_password) VALUES ($1, 'none') RETURNING id`;
  return (await owner.query<{ id: number }>(sql, [`random-${number}@example.com`])).rows[0]!.id;
}

function addResults(left: RandomTransactionsResult, right: RandomTransactionsResult): RandomTransactionsResult {
  return {
    committed: left.committed + right.committed,
    rolledBack: left.rolledBack + right.rolledBack,
    rows: left.rows + right.rows,
    savepoints: left.savepoints + right.savepoints,
    differences: [...left.differences, ...right.differences],
  };
}

interface UserOptions {
  readonly app: Client;
  readonly psql: Client;
  readonly id: number;
  readonly signer: ContextSigner;
  readonly model: RowModel;
}

class RandomUser {
  readonly result = { committed: 0, rolledBack: 0, rows: 0, savepoints: 0, differences: [] as string[] };
  private number = 0;

  constructor(private readonly options: UserOptions) {}

  async run(transactions: number): Promise<void> {
    for (this.number = 1; this.number <= transactions; this.number += 1) await this.runTransaction();
  }

  private async runTransaction(): Promise<void> {
    const { app, psql, model } = this.options;
    const isApp = this.number % 3 > 0;
    const client = isApp ? app : psql;
    const requestId = `random-${this.options.id}-${this.number}`;
    await client.query('BEGIN');
    if (isApp) await client.query(`SELECT set_config('app.context', $1, true)`, [this.signContext(requestId)]);
    const { rows } = await client.query<{ id: string }>('SELECT pg_current_xact_id()::text AS id');
    const start = model.save();
    await this.runStatements(client);
    const isCommitted = randomBelow(5) > 0;
    await client.query(isCommitted ? 'COMMIT' : 'ROLLBACK');
    this.result[isCommitted ? 'committed' : 'rolledBack'] += 1;
    if (!isCommitted) model.restore(start);
    await this.compare(rows[0]!.id, isApp ? requestId : null, model.takeChanges());
  }

  private signContext(requestId: string): string {
    const id = String(this.options.id);
    return this.options.signer.sign([id, 'user', id, 'triggers', requestId, '', 'random', '']);
  }

  private async runStatements(client: Client): Promise<void> {
    const { model } = this.options;
    for (let left = 1 + randomBelow(MAX_STATEMENTS); left > 0; left -= 1) {
      if (randomBelow(4) > 0) {
        await this.runStatement(client);
        continue;
      }
      const before = model.save();
      this.result.savepoints += 1;
      await client.query('SAVEPOINT part');
      await this.runStatement(client);
      // An error aborts the part like a ROLLBACK TO of its own accord.
      const isFailed = randomBelow(2) > 0;
      if (isFailed) await client.query('SELECT 1 / 0').catch(() => undefined);
      if (isFailed || randomBelow(2) > 0) {
        await client.query('ROLLBACK TO part');
        model.restore(before);
      } else await client.query('RELEASE part');
    }
  }

  private async runStatement(client: Client): Promise<void> {
    const { model, id: user } = this.options;
    const table = TABLES[randomBelow(TABLES.length)]!;
    const ids = model.pick(table, 1 + randomBelow(4));
    // The API deletes templates only.
    const mayDelete = table === 'templates' || client === this.options.psql;
    const kind = ids.length === 0 ? 0 : [0, mayDelete ? 1 : 2, 2, 3][randomBelow(4)]!;
    const own = (sql: string): string => `${sql} RETURNING to_jsonb(${table}) AS row`;
    if (kind === 0) {
      const jobs = model.pick('jobs', 1);
      if ((table === 'messages' || table === 'proposals') && jobs.length === 0) return;
      if (table === 'proposals' && model.hasProposal(jobs[0]!)) return;
      const text = `${user} ${this.number} ${randomBelow(1e9)}`;
      const { rows } = await client.query(
        own(INSERTS[table]),
        table === 'proposals' ? [user, jobs[0]] : [user, text, ...(table === 'messages' ? jobs : [])],
      );
      model.insert(table, rows);
    } else if (kind === 1) {
      const { rows } = await client.query(own(`DELETE FROM ${table} WHERE id = ANY ($1)`), [ids]);
      model.delete(table, rows);
    } else {
      const { rows } = await client.query(own(`${UPDATES[table]} WHERE id = ANY ($1)`), [ids, String(randomBelow(3))]);
      model.update(table, rows);
    }
  }

  private async compare(
    transaction: string,
    requestId: string | null,
    expected: readonly AuditedChange[],
  ): Promise<void> {
    const { rows } = await this.options.psql.query<AuditedChange>(LIST_CHANGES, [transaction, TABLES]);
    const actor = requestId === null ? [null, 'database'] : [this.options.id, 'user'];
    const wanted = expected.map((change) => ({
      ...change,
      actorKind: actor[1],
      actorId: actor[0],
      requestId,
    }));
    this.result.rows += rows.length;
    if (!isDeepStrictEqual(rows, wanted))
      this.result.differences.push(`transaction ${transaction}: ${JSON.stringify({ rows, wanted })}`);
  }
}

const INSERTS: Readonly<Record<TableName, string>> = {
  jobs: `INSERT INTO jobs (user_id, source_key, title) VALUES ($1, 'upwork:' || $2, $2)`,
  templates: `INSERT INTO templates (user_id, name, body, generation_type)
    SELECT $1, $2 || n, $2, 'message' FROM generate_series(1, 2) n`,
  messages: `INSERT INTO messages (user_id, content, job_id, sender_type) VALUES ($1, $2, $3, 'client')`,
  proposals: 'INSERT INTO proposals (user_id, job_id) VALUES ($1, $2)',
};

const UPDATES: Readonly<Record<TableName, string>> = {
  jobs: `UPDATE jobs SET description = $2::text, is_favorite = ($2::text > '0')`,
  templates: 'UPDATE templates SET body = $2',
  messages: 'UPDATE messages SET content = $2',
  proposals: 'UPDATE proposals SET cover_letter = $2',
};

function randomBelow(limit: number): number {
  return Math.floor(Math.random() * limit);
}

/** @throws Error when the audit log of a transaction differs from the model */
export function assertEqualToModel(result: RandomTransactionsResult): RandomTransactionsResult {
  if (result.differences.length > 0) throw new Error(result.differences.slice(0, 3).join('\n'));
  return result;
}
