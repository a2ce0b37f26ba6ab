import 'reflect-metadata';
import { AppModule } from '../../src/app.module';
import { AccessTokensService, RefreshTokensService } from '../../src/auth/access-tokens/access-tokens.service';
import { PasswordsService } from '../../src/auth/passwords/passwords.service';
import { SessionsService } from '../../src/auth/sessions/sessions.service';
import { withClient } from '../../src/local-services/database-setup';
import { runInContext } from '../../src/platform/context/request-context';
import { CursorCodec } from '../../src/platform/http/pagination/keyset-page';
import { createHttpApp } from '../../src/platform/http/http-app';
import { createDataSet, type DataSize } from './data-set';
import type { BenchServices } from './services';

/** A signed-in user of the benchmark and the consecutive ids of their jobs. */
export interface BenchCaller {
  readonly userId: number;
  readonly token: string;
  readonly firstJob: number;
  readonly jobs: number;
}

/** The callers, and the cursor of the large tenant's last page. */
export interface BenchUsers {
  /** From the user with most jobs to one with few. */
  readonly callers: readonly BenchCaller[];
  readonly largeTenant: BenchCaller;
  readonly deepCursor: string;
  /** The jobs of all users. */
  readonly password: string;
  readonly passwordHash: string;
  readonly users: number;
}

const CALLER_COUNT = 16;
const HOT_JOB_COUNT = 500;
const PASSWORD = 'only for this bench';
const TOKEN_SECONDS = 12 * 3600;
/** The last of 15,000 pages of 20; fewer near the end of the jobs. */
const DEEP_OFFSET = 300_000;

/**
 * Creates the data set and signs the callers in, with the product's code, so that any server of the benchmark knows
 * them.
 */
export async function createBenchUsers(services: BenchServices, size: DataSize): Promise<BenchUsers> {
  Object.assign(process.env, services.buildEnvironment());
  const app = await createHttpApp(AppModule);
  try {
    await app.init();
    const passwordHash = await app.get(PasswordsService, { strict: false }).hash(PASSWORD);
    await createDataSet(services, size, passwordHash);
    const owners = await readOwners(services, [...pickRanks(size.users), size.users + 1]);
    const sessions = app.get(SessionsService, { strict: false });
    const callers: BenchCaller[] = [];
    for (const owner of owners) {
      const sessionId = sessions.generateId();
      const { hash } = app.get(RefreshTokensService, { strict: false }).issue(sessionId);
      const { userId } = owner;
      await sessions.begin(sessionId, {
        userId,
        role: 'user',
        verifiedAt: new Date(),
        refreshHash: hash,
        device: 'bench',
        ip: null,
      });
      callers.push({
        ...owner,
        token: app.get(AccessTokensService, { strict: false }).sign('access', { userId, sessionId }, TOKEN_SECONDS),
      });
    }
    const large = callers.pop()!;
    const deepCursor = await createCursor(services, large, app.get(CursorCodec, { strict: false }));
    return { callers, largeTenant: large, deepCursor, password: PASSWORD, passwordHash, users: size.users };
  } finally {
    await app.close();
  }
}

/** Returns the same callers with about 500 of their jobs only, like users who revisit what they have just read. */
export function selectHotJobs(benchUsers: BenchUsers): BenchUsers {
  const each = Math.round(HOT_JOB_COUNT / benchUsers.callers.length);
  return {
    ...benchUsers,
    callers: benchUsers.callers.map((caller) => ({ ...caller, jobs: Math.min(caller.jobs, each) })),
  };
}

/** Spreads the callers evenly by logarithm: the heavy users are few but called often. */
function pickRanks(users: number): number[] {
  return Array.from({ length: CALLER_COUNT }, (_, i) => Math.max(i + 1, Math.round(users ** (i / (CALLER_COUNT - 1)))));
}

async function readOwners(services: BenchServices, ids: readonly number[]): Promise<Omit<BenchCaller, 'token'>[]> {
  return withClient(services.buildUrl('superuser'), async (client) => {
    const { rows } = await client.query<Record<'userId' | 'firstJob' | 'jobs', string>>(
      `SELECT user_id AS "userId", min(id) AS "firstJob", count(*) AS jobs FROM jobs
       WHERE user_id = ANY ($1) GROUP BY user_id ORDER BY user_id`,
      [ids],
    );
    return rows.map((row) => ({ userId: Number(row.userId), firstJob: Number(row.firstJob), jobs: Number(row.jobs) }));
  });
}

/** Builds the cursor of page 15,000 as the product would. */
async function createCursor(
  services: BenchServices,
  { userId, jobs }: BenchCaller,
  codec: CursorCodec,
): Promise<string> {
  return withClient(services.buildUrl('superuser'), async (client) => {
    const { rows } = await client.query<{ key: string; id: string }>(
      `SELECT created_at::text AS key, id FROM jobs WHERE user_id = $1 AND status <> 'deleted'
       ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET $2`,
      [userId, Math.min(DEEP_OFFSET, Math.floor(jobs * 0.75))],
    );
    const principal = { userId, role: 'user' as const, sessionId: '' };
    const list = { requestId: '', ip: null, userAgent: null, operation: 'GET /v1/jobs', principal };
    return runInContext(list, () => codec.encode([rows[0]!.key, Number(rows[0]!.id)], { sort: '-createdAt' }));
  });
}
