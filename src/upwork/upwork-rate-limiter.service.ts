import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Config } from '../platform/config/config';
import { RedisClients } from '../platform/redis/redis-clients';
import { UpworkError } from './upwork.error';

/** Callers with a longer wait are rejected and may retry later. */
const MAX_WAIT_MS = 10_000;

const NEXT_KEY = 'upwork-calls:next';
const PAUSE_KEY = 'upwork-calls:pause';

/**
 * Reserves the next free time slot by Redis's clock, so that all processes share one rate. KEYS: next slot, pause;
 * ARGV: interval, maximum wait. Returns the milliseconds to wait, negative when they exceed the maximum.
 */
const ACQUIRE_SLOT = `
  local clock = redis.call('TIME')
  local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  local next = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'), tonumber(redis.call('GET', KEYS[2]) or '0'))
  if next - now > tonumber(ARGV[2]) then return now - next end
  redis.call('SET', KEYS[1], next + tonumber(ARGV[1]), 'PX', next - now + 60000)
  return next - now`;

const PAUSE = `
  local clock = redis.call('TIME')
  local pausedUntil = clock[1] * 1000 + math.floor(clock[2] / 1000) + tonumber(ARGV[1])
  if pausedUntil > tonumber(redis.call('GET', KEYS[1]) or '0') then
    redis.call('SET', KEYS[1], pausedUntil, 'PX', ARGV[1])
  end
  return 1`;

/** Limits the rate of calls to Upwork across all processes: Upwork counts by IP address. */
@Injectable()
export class UpworkRateLimiterService {
  private readonly intervalMs: number;

  constructor(
    private readonly redis: RedisClients,
    { upwork }: Config,
  ) {
    this.intervalMs = Math.ceil(1_000 / upwork.requestsPerSecond);
  }

  /** Waits for the caller's slot. @throws UpworkError `limited` when it is more than 10 s away */
  async acquire(): Promise<void> {
    const wait = Number(
      await this.redis.commands.eval(ACQUIRE_SLOT, 2, NEXT_KEY, PAUSE_KEY, this.intervalMs, MAX_WAIT_MS),
    );
    if (wait < 0) throw new UpworkError('limited', 'Too many calls to Upwork are waiting', { retryAfterMs: -wait });
    if (wait > 0) await sleep(wait);
  }

  /** Pauses calls of all processes, as Upwork asked. */
  async pause(milliseconds: number): Promise<void> {
    await this.redis.commands.eval(PAUSE, 1, PAUSE_KEY, Math.max(1, Math.ceil(milliseconds)));
  }
}
