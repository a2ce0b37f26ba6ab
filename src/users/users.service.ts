import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database';
import { AppError } from '../platform/errors/app-error';
import { assertVersion, type Preconditions } from '../platform/http/responses/preconditions';
import { type LimitDto, UpdateUserDto, UserDto } from './users.dto';
import { currentUserId } from '../platform/http/access/access';
import { User } from './user.entity';
import { LoginThrottleService } from '../auth/login-throttle/login-throttle.service';
import { Config } from '../platform/config/config';
import { RateLimiterService } from '../platform/http/access/rate-limiter.service';

/** Reads and updates the signed-in user's account. */
@Injectable()
export class UsersService {
  constructor(private readonly database: Database) {}

  /**
   * Returns the account of the signed-in user. Session: user.
   * @throws AppError `user.not_found` when it was erased meanwhile
   */
  async get(): Promise<UserDto> {
    const user = await this.database.find(User, currentUserId());
    if (!user) throw new AppError('user.not_found');
    return UserDto.from(user);
  }

  /**
   * Updates the names of the signed-in user. Session: user, one transaction; one audit row if anything changed.
   * @throws AppError `user.not_found`, `precondition.failed`
   */
  update(changes: UpdateUserDto, ifMatch: Preconditions | undefined): Promise<UserDto> {
    return this.database.transaction(async (unit) => {
      const users = unit.repository(User);
      const user = await users.find(currentUserId(), { lock: true });
      if (!user) throw new AppError('user.not_found');
      assertVersion(user, ifMatch);
      return UserDto.from(await users.update(user, { firstName: changes.firstName, lastName: changes.lastName }));
    });
  }
}

/** Reads the limits of the signed-in user and their use. */
@Injectable()
export class AccountLimitsService {
  constructor(
    private readonly rateLimiter: RateLimiterService,
    private readonly throttle: LoginThrottleService,
    private readonly config: Config,
  ) {}

  /** Returns limits and use; GET /v1/ai/usage has AI budgets. Session: user. @throws AppError `service.unavailable` */
  async list(): Promise<LimitDto[]> {
    const userId = currentUserId();
    const uses = await this.throttle.listUsage(userId);
    const requests = await this.rateLimiter.useOf(`user:${userId}`);
    const { bodyBytes, importBytes } = this.config.limits;
    return [
      ...(requests ? [{ name: 'requests', ...requests }] : []),
      ...uses,
      { name: 'bodyBytes', limit: bodyBytes, used: null, windowSeconds: null },
      { name: 'importBytes', limit: importBytes, used: null, windowSeconds: null },
    ];
  }
}
