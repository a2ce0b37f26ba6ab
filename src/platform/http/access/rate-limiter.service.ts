import { ThrottlerStorageRedisService } from '@nest-lab/throttler-storage-redis';
import { Injectable, Logger } from '@nestjs/common';
import type { ThrottlerStorage } from '@nestjs/throttler';
import { Config } from '../../config/config';
import { AppError } from '../../errors/app-error';
import { RedisClients } from '../../redis/redis-clients';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Authenticator } from './access';
import { getNetwork, normalizeAddress } from './client-address';

const WINDOW_SECONDS = 60;
const THROTTLER = 'general';

/** Shortest interval between two warnings. */
const WARNING_INTERVAL_MS = 10_000;

/** The response headers of the limit. @see draft-ietf-httpapi-ratelimit-headers-10 */
export interface RateLimitHeaders {
  readonly 'ratelimit-policy': string;
  readonly ratelimit: string;
}

/**
 * Counts requests in Redis, for all processes together. Requests pass uncounted when Redis is missing or slow: the
 * limit protects the service and must not stop it.
 */
@Injectable()
export class RateLimiterService {
  private readonly logger = new Logger(RateLimiterService.name);
  private readonly storage: ThrottlerStorage;
  private readonly limit: number;
  /** Time for Redis to count a request. After it the request passes uncounted. */
  redisTimeoutMs = 100;
  private warnedAt = 0;

  constructor(
    config: Config,
    private readonly redis: RedisClients,
  ) {
    this.limit = config.limits.requestsPerMinute;
    this.storage = new ThrottlerStorageRedisService(redis.commands);
  }

  /**
   * Counts one request of `subject` (`user:7`, `ip:192.0.2.1`) and returns the headers to send; undefined without a
   * limit.
   * @throws AppError `rate.limited` with the same headers and Retry-After
   */
  async take(subject: string): Promise<RateLimitHeaders | undefined> {
    if (this.limit === 0) return undefined;
    const count = await this.count(subject);
    if (!count) return undefined;
    const seconds = count.isBlocked ? count.timeToBlockExpire : count.timeToExpire;
    const headers: RateLimitHeaders = {
      'ratelimit-policy': `"general";q=${this.limit};w=${WINDOW_SECONDS}`,
      ratelimit: `"general";r=${count.isBlocked ? 0 : Math.max(0, this.limit - count.totalHits)};t=${seconds}`,
    };
    if (!count.isBlocked) return headers;
    throw new AppError('rate.limited', { headers: { ...headers, 'retry-after': String(Math.max(1, seconds)) } });
  }

  /** Returns the limit and the requests of a subject in the current minute; null without a limit. */
  async useOf(subject: string): Promise<{ limit: number; used: number; windowSeconds: number } | null> {
    if (this.limit === 0) return null;
    // The key that the storage uses.
    const used = Number(await this.redis.commands.get(`{rate:${subject}:${THROTTLER}}:hits`));
    return { limit: this.limit, used, windowSeconds: WINDOW_SECONDS };
  }

  private async count(subject: string) {
    if (this.redis.commands.status !== 'ready') return this.allowUncounted('Redis is not connected');
    const windowMs = WINDOW_SECONDS * 1_000;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), this.redisTimeoutMs);
    });
    try {
      const counted = this.storage.increment(`rate:${subject}`, windowMs, this.limit, windowMs, THROTTLER);
      return (await Promise.race([counted, timeout])) ?? this.allowUncounted('Redis takes too long');
    } catch (error) {
      return this.allowUncounted(String(error));
    } finally {
      clearTimeout(timer);
    }
  }

  private allowUncounted(reason: string): undefined {
    if (Date.now() - this.warnedAt < WARNING_INTERVAL_MS) return undefined;
    this.warnedAt = Date.now();
    this.logger.warn(`requests are not rate-limited: ${reason}`);
    return undefined;
  }
}

/** Routes without a limit: probes and scrapes must work under load. */
const UNLIMITED = /^\/(health|metrics)(\/|$)/;

/**
 * Counts every request before its body is read, including unknown routes and unreadable bodies, and adds the headers of
 * the limit to its response. A signed-in user is counted by their id, from any address.
 */
export function registerRateLimit(
  fastify: FastifyInstance,
  limiter: RateLimiterService,
  authenticator: Authenticator | undefined,
): void {
  fastify.addHook('onRequest', async (request, reply) => {
    if (UNLIMITED.test(request.routeOptions.url ?? '')) return;
    const headers = await limiter.take(identifyCaller(request, authenticator));
    if (headers) void reply.headers({ ...headers });
  });
}

/** Returns the subject that a request is counted for: the user of a genuine access token, else the network. */
export function identifyCaller(request: FastifyRequest, authenticator: Authenticator | undefined): string {
  const userId = authenticator?.findUserId(request);
  return userId === undefined ? `ip:${getNetwork(normalizeAddress(request.ip))}` : `user:${userId}`;
}
