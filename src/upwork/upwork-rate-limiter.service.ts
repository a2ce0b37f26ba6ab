import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Config } from '../platform/config/config';
import { RedisClients } from '../platform/redis/redis-clients';
import { computePollingLimit, stretchInterval, type CallBudget } from './call-budget';
import { UpworkError } from './upwork.error';

/** Users with a longer wait are rejected and may retry later. */
const MAX_WAIT_MS = 10_000;

/** Tasks ask for a slot again while none is near, so that a busy minute fails no part of a synchronisation. */
const MAX_BACKGROUND_WAIT_MS = 120_000;

const NEXT_KEY = 'upwork-calls:next';
const PAUSE_KEY = 'upwork-calls:pause';

/**
 * Reads the calls of the UTC day of Redis's clock: `today`, `resetMs` and `used`. KEYS[1]: the day's calls; last ARGV:
 * offset of the clock.
 */
const READ_DAY = `
  local clock = redis.call('TIME')
  local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  local dayClock = now + tonumber(ARGV[#ARGV])
  local today = tostring(math.floor(dayClock / 86400000))
  local resetMs = 86400000 - dayClock % 86400000
  local day = redis.call('HMGET', KEYS[1], 'day', 'used')
  local used = day[1] == today and tonumber(day[2]) or 0`;

/**
 * Reserves the next free time slot by Redis's clock and counts the call of the day, so that all processes share one
 * rate and one budget. KEYS: the day's calls, next slot, pause; ARGV: interval, maximum wait, maximum calls of the
 * day, offset. Returns `granted` with the milliseconds to wait, `busy` with a wait above the maximum, or `spent` with
 * the milliseconds until the next day.
 */
const ACQUIRE_SLOT = `${READ_DAY}
  if used >= tonumber(ARGV[3]) then return {'spent', resetMs} end
  local next = math.max(now, tonumber(redis.call('GET', KEYS[2]) or '0'), tonumber(redis.call('GET', KEYS[3]) or '0'))
  if next - now > tonumber(ARGV[2]) then return {'busy', next - now} end
  redis.call('SET', KEYS[2], next + tonumber(ARGV[1]), 'PX', next - now + 60000)
  redis.call('HSET', KEYS[1], 'day', today, 'used', used + 1)
  redis.call('PEXPIRE', KEYS[1], resetMs + 60000)
  return {'granted', next - now}`;

const READ_BUDGET = `${READ_DAY}
  return {used, resetMs}`;

const PAUSE = `
  local clock = redis.call('TIME')
  local pausedUntil = clock[1] * 1000 + math.floor(clock[2] / 1000) + tonumber(ARGV[1])
  if pausedUntil > tonumber(redis.call('GET', KEYS[1]) or '0') then
    redis.call('SET', KEYS[1], pausedUntil, 'PX', ARGV[1])
  end
  return 1`;

/** Who asks for a slot. */
interface SlotOptions {
  readonly isPolling?: boolean;
  /** True for calls of a task. */
  readonly isInBackground?: boolean;
}

/**
 * Limits the calls to Upwork across all processes: their rate, which Upwork counts by IP address, and their number per
 * UTC day, which it counts by API key. Polling leaves a share of the day's calls to requests of users.
 */
@Injectable()
export class UpworkRateLimiterService {
  /** Moves the clock of the day; tests choose a time far from midnight. */
  clockOffsetMs = 0;
  /** Polling waits less than users, so that a user never has more than these calls before theirs; shorter in tests. */
  maxPollingWaitMs = 5_000;
  private readonly intervalMs: number;
  private readonly callsPerDay: number;
  private readonly dayKey: string;

  constructor(
    private readonly redis: RedisClients,
    { upwork }: Config,
  ) {
    this.intervalMs = Math.ceil(1_000 / upwork.requestsPerSecond);
    this.callsPerDay = upwork.callsPerDay;
    this.dayKey = buildDayKey(upwork.client?.id ?? '');
  }

  /**
   * Waits for the caller's slot and counts the call.
   * @throws UpworkError `limited` when the slot is more than 10 s away (polling: 5 s; in the background: after two
   *   minutes); `budget_used` when the day's calls are used
   */
  async acquire({ isPolling = false, isInBackground = false }: SlotOptions = {}): Promise<void> {
    const until = performance.now() + (isInBackground ? MAX_BACKGROUND_WAIT_MS : 0);
    for (;;) {
      const [outcome, milliseconds] = await this.reserve(isPolling);
      if (outcome === 'spent') throw buildSpentError(isPolling, milliseconds);
      if (outcome === 'granted') return milliseconds > 0 ? sleep(milliseconds) : undefined;
      if (performance.now() + milliseconds > until)
        throw new UpworkError('limited', 'Too many calls to Upwork are waiting', { retryAfterMs: milliseconds });
      await sleep(milliseconds * Math.random());
    }
  }

  private async reserve(isPolling: boolean): Promise<['granted' | 'busy' | 'spent', number]> {
    const limit = isPolling ? computePollingLimit(this.callsPerDay) : this.callsPerDay;
    const maxWait = isPolling ? this.maxPollingWaitMs : MAX_WAIT_MS;
    const keys = [this.dayKey, NEXT_KEY, PAUSE_KEY];
    const values = [this.intervalMs, maxWait, limit, this.clockOffsetMs];
    const answer = await this.redis.commands.eval(ACQUIRE_SLOT, 3, ...keys, ...values);
    return answer as ['granted' | 'busy' | 'spent', number];
  }

  /** Pauses calls of all processes, as Upwork asked. */
  async pause(milliseconds: number): Promise<void> {
    await this.redis.commands.eval(PAUSE, 1, PAUSE_KEY, Math.max(1, Math.ceil(milliseconds)));
  }

  /** Returns the calls of the current UTC day. */
  async readBudget(): Promise<CallBudget> {
    const answer = await this.redis.commands.eval(READ_BUDGET, 1, this.dayKey, this.clockOffsetMs);
    const [used, resetMs] = answer as [number, number];
    return { perDay: this.callsPerDay, used, secondsUntilReset: Math.ceil(resetMs / 1_000) };
  }

  /** Returns the interval until the next poll: `seconds`, or longer while the day's calls run short. */
  async stretch(seconds: number): Promise<number> {
    return stretchInterval(seconds, await this.readBudget());
  }
}

/** Builds the Redis key of the day's calls of an API key; a new key has a budget of its own. */
export function buildDayKey(clientId: string): string {
  return `upwork-calls:day:${createHash('sha256').update(clientId).digest('base64url').slice(0, 22)}`;
}

function buildSpentError(isPolling: boolean, retryAfterMs: number): UpworkError {
  const message = isPolling
    ? "Synchronisation has used its share of the day's calls to Upwork. It continues at 00:00 UTC"
    : "The day's calls to Upwork are used. More are allowed from 00:00 UTC";
  return new UpworkError('budget_used', message, { retryAfterMs });
}
