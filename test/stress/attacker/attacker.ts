import { setTimeout as sleep } from 'node:timers/promises';
import { readPeakMemory } from '../../bench/cpu';
import { ApiProcess } from '../api-process';
import { ChildProgram } from '../child';
import { NormalUser, type ServiceLevel } from './normal-user';

/** How long is measured. */
export interface AttackerOptions {
  /** The user alone, after a warm-up. */
  readonly baselineMs: number;
  readonly attackMs: number;
  /** bcrypt cost of passwords, 12 in the product. */
  readonly hashCost: number;
}

/** What a user saw of an attacker. */
export interface AttackerResult {
  readonly baseline: ServiceLevel;
  readonly attacked: ServiceLevel;
  /** Of the p99s. */
  readonly slowdown: number;
  /** The most memory the API has held, in MiB. */
  readonly peakMemory: number;
  readonly worstLoopDelayMs: number;
  /** 1 when the API ended; nothing starts it again here. */
  readonly restarts: number;
  /** Answers to the attacker, by attack and status; 0 is a connection that ended without one. */
  readonly attacks: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

const WARM_UP_MS = 3_000;
const SLOWDOWN_LIMIT = 5;
const MEMORY_LIMIT_MIB = 600;

/**
 * Lets one account, and connections of nobody, attack at full rate beside a user at a human pace. Limits are those of
 * the product. The attacker is a process of its own, with a lower priority and another address.
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
    await user.workUntil(sleep(Math.min(WARM_UP_MS, baselineMs)));
    const alone = await user.workUntil(sleep(baselineMs));
    attacker.writeLine('begin');
    const [attacked, worstLoopDelayMs] = await Promise.all([
      user.workUntil(sleep(attackMs)),
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

/** Returns the result. @throws Error with each promise that was not kept */
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

/** The longest delay of the event loop within so much time; NaN when the API ended. */
async function measureWorstDelay(api: ApiProcess, forMs: number): Promise<number> {
  let worst = 0;
  await api.readLoopDelayMs();
  for (const end = Date.now() + forMs; Date.now() < end; await sleep(1_000)) {
    worst = Math.max(worst, await api.readLoopDelayMs().catch(() => NaN));
  }
  return worst;
}
