import { AppModule } from '../../../src/app.module';
import { withClient } from '../../../src/local-services/database-setup';
import { Message } from '../../../src/messages/message.entity';
import { Database } from '../../../src/platform/database/database';
import { createHttpApp } from '../../../src/platform/http/http-app';
import { runAsUser } from '../../support/run-as-user';
import { createStressServices, type StressServices } from '../stress-services';

/** Sizes of the scenario. */
export interface TenantsOptions {
  readonly units: number;
}

/** The result; all but the first two must be 0. */
export interface TenantsResult {
  readonly committed: number;
  readonly failed: number;
  readonly rowsOfTheOther: number;
  /** Rows of a failed unit, or rows missing from a successful one. */
  readonly halfWritten: number;
  /** Rows without exactly one audit row, and audit rows without a row. */
  readonly wronglyAudited: number;
  /** Settings that the last unit left on the connection. */
  readonly leftOnConnection: number;
}

/** How a unit fails, in rotation; the fourth succeeds. */
const FAULTS = ['thrown', 'sql', 'foreign row', 'none', 'swallowed'] as const;
const CONCURRENCY = 20;
/** Two rows for each unit, so that a single one shows a partial write. */
const ROWS_PER_UNIT = 2;

/**
 * Runs units of two tenants over one pooled connection, twenty concurrent ones, of which four of five fail in one way
 * or another. Each checks what it can see before it ends. At the end all rows and audit rows are counted.
 * @throws Error with the result when a number is not 0
 */
export async function stressTenants({ units }: TenantsOptions): Promise<TenantsResult> {
  const services = createStressServices();
  try {
    await services.start();
    const environment = {
      ...services.buildEnvironment(),
      DATABASE_POOL_SIZE: '1',
      DATABASE_CONNECT_TIMEOUT_MS: '60000',
    };
    Object.assign(process.env, environment);
    const app = await createHttpApp(AppModule);
    try {
      await app.init();
      const tenants = await createTenants(services);
      const seen = await interleave(app.get(Database, { strict: false }), tenants, units);
      const leftOnConnection = await countLeftSettings(app.get(Database, { strict: false }), tenants[0]!);
      const result = { ...seen, ...(await count(services, seen.committed)), leftOnConnection };
      const { committed, failed, ...wrong } = result;
      if (committed === 0 || failed === 0 || Object.values(wrong).some((found) => found !== 0))
        throw new Error(JSON.stringify(result));
      return result;
    } finally {
      await app.close();
    }
  } finally {
    await services.stop();
  }
}

async function createTenants(services: StressServices): Promise<number[]> {
  return withClient(services.buildUrl('superuser'), async (client) => {
    const { rows } = await client.query<{ id: string }>(
      `INSERT INTO users (email, encrypted_password, is_verified)
       VALUES ('ann@example.org', 'none', true), ('bob@example.org', 'none', true) RETURNING id`,
    );
    return rows.map(({ id }) => Number(id));
  });
}

async function interleave(
  database: Database,
  tenants: readonly number[],
  units: number,
): Promise<Pick<TenantsResult, 'committed' | 'failed' | 'rowsOfTheOther'>> {
  const result = { committed: 0, failed: 0, rowsOfTheOther: 0 };
  const run = async (number: number): Promise<void> => {
    const tenant = tenants[number % 2]!;
    // Shifted every round, so that a fault meets different neighbours.
    const fault = FAULTS[(number + Math.floor(number / CONCURRENCY)) % FAULTS.length]!;
    try {
      await runAsUser(tenant, () =>
        work(database, tenant, tenants[(number + 1) % 2]!, fault, (others) => (result.rowsOfTheOther += others)),
      );
      result.committed += 1;
    } catch {
      result.failed += 1;
    }
  };
  for (let first = 0; first < units; first += CONCURRENCY) {
    await Promise.all(Array.from({ length: CONCURRENCY }, (_, i) => run(first + i)));
  }
  return result;
}

async function work(
  database: Database,
  tenant: number,
  other: number,
  fault: (typeof FAULTS)[number],
  reportForeignRows: (rowsOfTheOther: number) => void,
): Promise<void> {
  await database.transaction(async (unit) => {
    const label = fault === 'none' ? 'kept' : 'lost';
    await unit.repository(Message).insert({ senderType: 'client', content: label });
    const [row] = await unit.query<{ others: number }>(
      'SELECT count(*) FILTER (WHERE user_id <> $1) AS others FROM messages',
      [tenant],
    );
    reportForeignRows(row!.others);
    if (fault === 'sql') await unit.query('SELECT 1/0');
    if (fault === 'foreign row')
      await unit.query(`INSERT INTO messages (user_id, sender_type, content) VALUES ($1, 'client', 'lost')`, [other]);
    if (fault === 'swallowed') await unit.query('SELECT 1/0').catch(() => undefined);
    await unit.repository(Message).insert({ senderType: 'client', content: label });
    if (fault === 'thrown') throw new Error('on purpose');
  });
}

async function count(
  services: StressServices,
  committed: number,
): Promise<Pick<TenantsResult, 'halfWritten' | 'wronglyAudited'>> {
  return withClient(services.buildUrl('superuser'), async (client) => {
    const { rows } = await client.query<{ kept: string; lost: string; unaudited: string; orphans: string }>(`
      SELECT count(*) FILTER (WHERE content = 'kept') AS kept, count(*) FILTER (WHERE content = 'lost') AS lost,
        count(*) FILTER (WHERE (
          SELECT count(*) FROM audit_logs a
          WHERE a.table_name = 'messages' AND a.record_id = m.id AND a.user_id = m.user_id
        ) <> 1) AS unaudited,
        (SELECT count(*) FROM audit_logs a
         WHERE a.table_name = 'messages' AND NOT EXISTS (SELECT FROM messages m WHERE m.id = a.record_id)) AS orphans
      FROM messages m`);
    const { kept, lost, unaudited, orphans } = rows[0]!;
    return {
      halfWritten: Math.abs(Number(kept) - ROWS_PER_UNIT * committed) + Number(lost),
      wronglyAudited: Number(unaudited) + Number(orphans),
    };
  });
}

/** Returns what a transaction without a context would see. Database sets one for each, so this bypasses it. */
async function countLeftSettings(database: Database, tenant: number): Promise<number> {
  const [row] = await runAsUser(tenant, () =>
    database.transaction(async (unit) => {
      // COMMIT ends the transaction's settings; what remains belongs to the connection.
      await unit.query('COMMIT');
      return unit.query<{ left: number }>(
        `SELECT count(*) AS left FROM (VALUES ('app.context')) AS settings (name)
         WHERE coalesce(current_setting(name, true), '') <> ''`,
      );
    }),
  );
  return row!.left;
}
