import { pause, waitFor } from '../../support/wait-for';
import { compareAcknowledged, type Comparison } from '../faults/acknowledged-writes';
import { HaInstallation } from './ha-installation';
import { isSuccess, ProxiedLoad } from './proxied-load';

/** A part and what happens to it. */
interface Failover {
  readonly part: string;
  readonly fault: string;
  /** Injects the fault and returns the time from which the recovery counts. */
  inject(installation: HaInstallation): Promise<number>;
  /** Repairs the part, after the clients work again. */
  repair?(installation: HaInstallation): Promise<void>;
  /** True when HAProxy hides it: no request may fail. */
  readonly isHidden?: boolean;
}

/** Two checks of HAProxy. */
const PROXY_CHECK_MS = 2_000;

const now = (): number => performance.now();

/** COMMIT waits for the replica meanwhile. */
const REPLICA_CUT_OFF: Failover = {
  part: 'PostgreSQL replica',
  fault: 'frozen for a second',
  inject: async ({ postgres }) => {
    postgres.signal(postgres.replica, 'SIGSTOP');
    await pause(1_000, 'the fault lasts this long');
    postgres.signal(postgres.replica, 'SIGCONT');
    return now();
  },
};

/** The faults by name, in the order in which one installation survives them. The last ones leave no replica. */
export const FAILOVERS = {
  'api killed': {
    part: 'one API of three',
    fault: 'killed',
    inject: async ({ apis }) => {
      const injectedAt = now();
      await apis[0]!.kill();
      return injectedAt;
    },
    repair: (installation) => installation.restartApi(0),
    isHidden: true,
  },
  'rolling restart': {
    part: 'each API',
    fault: 'restarted (SIGTERM)',
    inject: async (installation) => {
      const injectedAt = now();
      for (const [i, api] of installation.apis.entries()) {
        await api.stop();
        await installation.restartApi(i);
        // HAProxy must know that it is back before the next one ends.
        await pause(PROXY_CHECK_MS, 'HAProxy reports no event');
      }
      return injectedAt;
    },
    isHidden: true,
  },
  'redis frozen': {
    part: 'Redis primary',
    fault: 'frozen, Sentinel promotes',
    inject: (installation) => failRedisOver(installation, 'SIGSTOP'),
    repair: async ({ redis }) => redis.resumeAll(),
  },
  'redis killed': {
    part: 'Redis primary',
    fault: 'killed, Sentinel promotes',
    inject: (installation) => failRedisOver(installation, 'SIGKILL'),
  },
  'pgbouncer restarted': {
    part: 'PgBouncer',
    fault: 'restarted',
    inject: async (installation) => {
      const injectedAt = now();
      await installation.restartPooler(0);
      return injectedAt;
    },
  },
  'replica cut off': REPLICA_CUT_OFF,
  'postgres killed': {
    part: 'PostgreSQL primary',
    fault: 'killed, replica promoted',
    inject: async ({ postgres }) => {
      postgres.signal(postgres.primary, 'SIGKILL');
      await postgres.promote();
      return now();
    },
  },
  'postgres frozen': {
    part: 'PostgreSQL primary',
    fault: 'frozen, replica promoted',
    inject: async ({ postgres }) => {
      postgres.signal(postgres.primary, 'SIGSTOP');
      await postgres.promote();
      return now();
    },
  },
} as const satisfies Record<string, Failover>;

/** The name of a fault. */
export type FailoverName = keyof typeof FAILOVERS;

/** What the clients observed of one fault. */
export interface FailoverReport {
  readonly part: string;
  readonly fault: string;
  readonly requests: number;
  readonly failed: number;
  /** Requests with an Idempotency-Key that the client repeated, as a 409 with Retry-After says. */
  readonly repeated: number;
  /** From the fault, for PostgreSQL from the promotion, to the end of the last failed request. */
  readonly recoverySeconds: number;
  readonly slowestSeconds: number;
  readonly isHidden: boolean;
}

/** The result of one installation. */
export interface FailoverResult {
  readonly reports: readonly FailoverReport[];
  readonly acknowledged: number;
  readonly comparison: Comparison;
  /** True when the worker ran a scheduled task after the last fault. */
  readonly hasRunTask: boolean;
}

/** Options of the scenario. */
export interface FailoverOptions {
  readonly clients: number;
  readonly faults: readonly FailoverName[];
  /** Waits for a scheduled task after the last fault, which takes up to a minute. */
  readonly waitsForTask: boolean;
}

/** Successes of each client after a fault that count as recovered. */
const SUCCESSES = 5;

/** Injects faults into an installation of several machines under load, and compares the acknowledged writes. */
export async function stressFailover({ clients, faults, waitsForTask }: FailoverOptions): Promise<FailoverResult> {
  const installation = new HaInstallation();
  const load = new ProxiedLoad(installation);
  try {
    await installation.start();
    await load.start(clients);
    const reports: FailoverReport[] = [];
    for (const name of faults) reports.push(await observe(installation, load, FAILOVERS[name]));
    const hasRunTask = waitsForTask && (await hasTaskRun(installation));
    await load.stop();
    const comparison = await compareAcknowledged(installation, load.acknowledged);
    return { reports, acknowledged: load.acknowledged.size, comparison, hasRunTask };
  } finally {
    await load.stop();
    await installation.stop();
  }
}

async function observe(installation: HaInstallation, load: ProxiedLoad, failover: Failover): Promise<FailoverReport> {
  const begunAt = now();
  await waitFor('each client works', () => load.hasSucceededSince(begunAt, 1));
  const first = load.requests.length;
  const injectedAt = await failover.inject(installation);
  await waitFor(`each client works again: ${failover.fault}`, () => load.hasSucceededSince(injectedAt, SUCCESSES));
  const requests = load.requests.slice(first);
  await failover.repair?.(installation);
  const repeated = requests.filter(({ isRepeated }) => isRepeated);
  const failed = requests.filter(({ status, isRepeated }) => !isSuccess(status) && !isRepeated);
  const lastFailedAt = Math.max(injectedAt, ...failed.map(({ endedAt }) => endedAt));
  return {
    part: failover.part,
    fault: failover.fault,
    requests: requests.length,
    failed: failed.length,
    repeated: repeated.length,
    recoverySeconds: toSeconds(lastFailedAt - injectedAt),
    slowestSeconds: toSeconds(Math.max(...requests.map((request) => request.endedAt - request.begunAt))),
    isHidden: failover.isHidden ?? false,
  };
}

function toSeconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}

async function failRedisOver({ redis }: HaInstallation, signal: 'SIGKILL' | 'SIGSTOP'): Promise<number> {
  const injectedAt = now();
  const port = await redis.findPrimaryPort();
  redis.signal(port, signal);
  await waitFor('Sentinel names another primary', async () => (await redis.findPrimaryPort()) !== port);
  return injectedAt;
}

async function hasTaskRun(installation: HaInstallation): Promise<boolean> {
  const [row] = await installation.query<{ last: string }>('SELECT coalesce(max(id), 0) AS last FROM task_runs');
  const isDone = `SELECT EXISTS (SELECT FROM task_runs WHERE id > $1 AND outcome = 'succeeded') AS done`;
  return waitFor('a scheduled task has run', async () => {
    return (await installation.query<{ done: boolean }>(isDone, [row!.last]))[0]?.done;
  });
}

const RECOVERY_LIMIT_SECONDS = 10;

/** Prints a table and returns the results. @throws Error with each violated guarantee */
export function assertFailedOver(results: readonly FailoverResult[]): readonly FailoverResult[] {
  console.table(results.flatMap(({ reports }) => reports.map(({ isHidden: _, ...report }) => report)));
  const broken = results.flatMap((result) => listViolations(result));
  if (broken.length > 0) throw new Error(broken.join('\n'));
  return results;
}

function listViolations({ reports, comparison, hasRunTask }: FailoverResult): string[] {
  return [
    ...Object.entries(comparison).flatMap(([name, count]) => (count > 0 ? [`${count} ${name}`] : [])),
    ...(hasRunTask ? [] : ['no scheduled task has run after the last fault']),
    ...reports.flatMap(({ part, fault, failed, recoverySeconds, isHidden }) => [
      ...(isHidden && failed > 0 ? [`${part} ${fault}: ${failed} requests failed`] : []),
      ...(recoverySeconds > RECOVERY_LIMIT_SECONDS ? [`${part} ${fault}: recovered after ${recoverySeconds} s`] : []),
    ]),
  ];
}
