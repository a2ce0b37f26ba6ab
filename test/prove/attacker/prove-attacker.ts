import { setTimeout as sleep } from 'node:timers/promises';
import { peakMemoryOf } from '../../bench/cpu';
import { ApiUnderTest } from '../api-under-test';
import { Child } from '../child';
import { NormalUser, type Service } from './normal-user';

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
  readonly alone: Service;
  readonly attacked: Service;
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
export async function proveAttacker({ baselineMs, attackMs, hashCost }: AttackerOptions): Promise<AttackerResult> {
  const settings = {
    RATE_LIMIT_PER_MINUTE: '600',
    AUTH_THROTTLE_SCALE: '1',
    CACHE_ENABLED: 'true',
    PASSWORD_HASH_COST: String(hashCost),
  };
  const api = await ApiUnderTest.start({ settings, hasWorker: true });
  const { email, password } = await api.account();
  const attacker = new Child(['test/prove/attacker/attacker-worker.ts', String(api.port), email, password], {
    PATH: process.env['PATH'] ?? '',
  });
  try {
    const user = new NormalUser(api.url, await api.account());
    await attacker.line('ready');
    await user.workUntil(sleep(Math.min(WARM_UP_MS, baselineMs)));
    const alone = await user.workUntil(sleep(baselineMs));
    attacker.tell('begin');
    const [attacked, worstLoopDelayMs] = await Promise.all([
      user.workUntil(sleep(attackMs)),
      worstDelay(api, attackMs),
    ]);
    const peakMemory = Math.round(peakMemoryOf(api.pid));
    attacker.tell('stop');
    const attacks = JSON.parse(await attacker.line('report ')) as AttackerResult['attacks'];
    const slowdown = Math.round((10 * attacked.p99Ms) / alone.p99Ms) / 10;
    return { alone, attacked, slowdown, peakMemory, worstLoopDelayMs, restarts: api.hasEnded ? 1 : 0, attacks };
  } finally {
    await attacker.end('SIGKILL');
    await api.stop();
  }
}

/** Returns the result. @throws Error with each promise that was not kept */
export function assertUnharmed(result: AttackerResult): AttackerResult {
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
async function worstDelay(api: ApiUnderTest, forMs: number): Promise<number> {
  let worst = 0;
  await api.loopDelayMs();
  for (const end = Date.now() + forMs; Date.now() < end; await sleep(1_000)) {
    worst = Math.max(worst, await api.loopDelayMs().catch(() => NaN));
  }
  return worst;
}
