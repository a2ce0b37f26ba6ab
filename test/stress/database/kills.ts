import { signUp } from '../../../src/demo/demo-account';
import type { ApiClient } from '../../../src/demo/api-client';
import { withClient } from '../../../src/local-services/database-setup';
import type { InstallationServices } from '../../../src/local-services/server-environment';
import { StressInstallation } from '../installation';
import { pause } from '../../support/wait-for';

/** Sizes of the scenario. */
export interface KillsOptions {
  /** Each round kills the API or PostgreSQL, alternately, during writes. */
  readonly rounds: number;
  readonly writers: number;
  /** The kill comes after this number of further responses, so during other writes. */
  readonly jobsPerRound: number;
}

/** The result; the last three numbers must be 0. */
export interface KillsResult {
  readonly rounds: number;
  readonly acknowledged: number;
  readonly missing: number;
  readonly withoutAudit: number;
  readonly auditWithoutRow: number;
}

/**
 * Kills the API and PostgreSQL with SIGKILL while jobs are created and patched, starts again, and compares. Every id
 * that was answered 2xx exists with exactly one INSERT in the audit, and no audit row is about a missing job.
 */
export async function stressKills({ rounds, writers, jobsPerRound }: KillsOptions): Promise<KillsResult> {
  const installation = new StressInstallation({ DATABASE_CONNECT_TIMEOUT_MS: '60000' });
  const acknowledged: number[] = [];
  try {
    let services = await installation.start();
    let { api } = await signUp(services.api);
    for (let round = 0; round < rounds; round++) {
      const writing = Array.from({ length: writers }, (_, i) => write(api, `round ${round} writer ${i}`, acknowledged));
      while (acknowledged.length < (round + 1) * jobsPerRound) {
        await pause(1, 'the writers count their responses in a list');
      }
      process.kill(services.pids[round % 2 === 0 ? 'api' : 'postgres']!, 'SIGKILL');
      await Promise.all(writing);
      // The launcher would restart a killed process, so a round starts the whole installation.
      await installation.stop();
      services = await installation.start();
      ({ api } = await signUp(services.api));
    }
    return { rounds, acknowledged: acknowledged.length, ...(await compare(services, acknowledged)) };
  } finally {
    await installation.remove();
  }
}

/** Creates jobs until the server is gone; only 2xx responses count. */
async function write(api: ApiClient, title: string, acknowledged: number[]): Promise<void> {
  for (let n = 0; ; n++) {
    try {
      const { id } = await api.post<{ id: number }>('/v1/jobs', { title: `${title} job ${n}` });
      acknowledged.push(id);
      await api.patch(`/v1/jobs/${id}`, { isFavorite: true });
    } catch {
      return;
    }
  }
}

async function compare(
  services: InstallationServices,
  ids: readonly number[],
): Promise<Pick<KillsResult, 'missing' | 'withoutAudit' | 'auditWithoutRow'>> {
  return withClient(services.postgres!.superuser, async (client) => {
    const count = async (sql: string): Promise<number> => {
      const { rows } = await client.query<{ n: string }>(sql, [ids]);
      return Number(rows[0]?.n);
    };
    const audited = `SELECT count(*) FROM audit_logs a
      WHERE a.table_name = 'jobs' AND a.action = 'INSERT' AND a.record_id = i.id`;
    return {
      missing: await count(
        `SELECT count(*) AS n FROM unnest($1::bigint[]) AS i (id)
         WHERE NOT EXISTS (SELECT FROM jobs j WHERE j.id = i.id)`,
      ),
      withoutAudit: await count(`SELECT count(*) AS n FROM unnest($1::bigint[]) AS i (id) WHERE (${audited}) <> 1`),
      auditWithoutRow: await count(
        `SELECT count(*) AS n FROM audit_logs a WHERE a.table_name = 'jobs' AND $1::bigint[] IS NOT NULL
            AND NOT EXISTS (SELECT FROM jobs j WHERE j.id = a.record_id)`,
      ),
    };
  });
}
