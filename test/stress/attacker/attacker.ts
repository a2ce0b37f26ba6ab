import { readPeakMemory } from '../../bench/cpu';
import { ApiProcess } from '../api-process';
import { ChildProgram } from '../child';
import { NormalUser, type ServiceLevel } from './normal-user';
import { pause } from '../../support/wait-for';

/** How long to measure. */
export interface AttackerOptions {
  /** The user alone, after a warm-up. */
  readonly baselineMs: number;
  readonly attackMs: number;
  /** The bcrypt cost of passwords, 12 in the product. */
  readonly hashCost: number;
}

/** How an attacker affected a user. */
export interface AttackerResult {
  readonly baseline: ServiceLevel;
  readonly attacked: ServiceLevel;
  /** The ratio of the p99s. */
  readonly slowdown: number;
  /** The peak memory of the API, in MiB. */
  readonly peakMemory: number;
  readonly worstLoopDelayMs: number;
  /** 1 when the API ended; nothing restarts it here. */
  readonly restarts: number;
  /** Responses to the attacker, by attack and status; 0 is a connection that ended without one. */
  readonly attacks: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

const WARM_UP_MS = 3_000;
const PHASE = 'the user works for a fixed time';
const SLOWDOWN_LIMIT = 5;
const MEMORY_LIMIT_MIB = 600;

/**
 * Lets one account, and connections without one, attack at full rate next to a user at a human pace. Limits are those
 * of the product. The attacker is a child process with a lower priority and another address.
 */
export async function stressAttacker({ baselineMs, attackMs, hashCost }: AttackerOptions): Promise<AttackerResult> {
  const settings = {
    RATE_LIMIT_PER_MINUTE: '600',
    AUTH_THROTTLE_SCALE: '1',
    CACHE_ENABLED: 'true',
    PASSWORD_HASH_COST: String(hashCost),
  };
  const api = await ApiProcess.start({ settings, hasWorker: true });
  const { email, password } = await api.createAccount();
  const attacker = new ChildProgram(['test/stress/attacker/attacker-worker.ts', String(api.port), email, password], {
    PATH: process.env['PATH'] ?? '',
  });
  try {
    const user = new NormalUser(api.url, await api.createAccount());
    await attacker.waitForLine('ready');
    await user.workUntil(pause(Math.min(WARM_UP_MS, baselineMs), PHASE));
    const alone = await user.workUntil(pause(baselineMs, PHASE));
    attacker.writeLine('begin');
    const [attacked, worstLoopDelayMs] = await Promise.all([
      user.workUntil(pause(attackMs, PHASE)),
      measureWorstDelay(api, attackMs),
    ]);
    const peakMemory = Math.round(readPeakMemory(api.pid));
    attacker.writeLine('stop');
    const attacks = JSON.parse(await attacker.waitForLine('report ')) as AttackerResult['attacks'];
    const slowdown = Math.round((10 * attacked.p99Ms) / alone.p99Ms) / 10;
    return {
      baseline: alone,
      attacked,
      slowdown,
      peakMemory,
      worstLoopDelayMs,
      restarts: api.hasEnded ? 1 : 0,
      attacks,
    };
  } finally {
    await attacker.end('SIGKILL');
    await api.stop();
  }
}

/** Returns the result. @throws Error with each violated guarantee */
export function assertUserUnaffected(result: AttackerResult): AttackerResult {
  const { attacked, slowdown, peakMemory, restarts } = result;
  const broken = [
    ...(restarts > 0 ? ['the API ended'] : []),
    ...(attacked.served < 1 ? [`${attacked.served} of the user's requests were served`] : []),
    ...(slowdown >= SLOWDOWN_LIMIT ? [`p99 is ${slowdown} times that without the attacker`] : []),
    ...(peakMemory >= MEMORY_LIMIT_MIB ? [`the API held ${peakMemory} MiB`] : []),
  ];
  if (broken.length > 0) throw new Error(`${broken.join('; ')}: ${JSON.stringify(result, null, 1)}`);
  return result;
}

/** Returns the longest event-loop delay within this time; NaN when the API ended. */
async function measureWorstDelay(api: ApiProcess, forMs: number): Promise<number> {
  let worst = 0;
  await api.readLoopDelayMs();
  for (const end = Date.now() + forMs; Date.now() < end; await pause(1_000, 'the delay is sampled at intervals')) {
    worst = Math.max(worst, await api.readLoopDelayMs().catch(() => NaN));
  }
  return worst;
}
