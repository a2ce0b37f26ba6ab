import { Injectable } from '@nestjs/common';
import { Throttle } from '../auth/throttle.service';
import { Config } from '../platform/config/config';
import { RateLimiter } from '../platform/http/rate-limiter';
import type { LimitDto } from './dto/limit.dto';
import { ownId } from './own-id';

/** What the signed-in user may do how often, and how much of it he has done. */
@Injectable()
export class OwnLimits {
  constructor(
    private readonly rate: RateLimiter,
    private readonly throttle: Throttle,
    private readonly config: Config,
  ) {}

  /** His limits and their use; budgets of AI are told by GET /v1/ai/usage. Session: user. @throws AppError `service.unavailable` */
  async list(): Promise<LimitDto[]> {
    const userId = ownId();
    const uses = await this.throttle.usesOf(userId);
    const requests = await this.rate.useOf(`user:${userId}`);
    const { bodyBytes, importBytes } = this.config.limits;
    return [
      ...(requests ? [{ name: 'requests', ...requests }] : []),
      ...uses,
      { name: 'bodyBytes', limit: bodyBytes, used: null, windowSeconds: null },
      { name: 'importBytes', limit: importBytes, used: null, windowSeconds: null },
    ];
  }
}
