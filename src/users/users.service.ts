import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database';
import { AppError } from '../platform/errors/app-error';
import { assertVersion, type Preconditions } from '../platform/http/if-match';
import { UpdateUserDto } from './dto/update-user.dto';
import { UserDto } from './dto/user.dto';
import { ownId } from './own-id';
import { User } from './user.entity';

/** The signed-in user's own account. */
@Injectable()
export class UsersService {
  constructor(private readonly database: Database) {}

  /**
   * The account of the signed-in user. Session: user.
   * @throws AppError `user.not_found` when it was erased meanwhile
   */
  async get(): Promise<UserDto> {
    const user = await this.database.find(User, ownId());
    if (!user) throw new AppError('user.not_found');
    return UserDto.from(user);
  }

  /**
   * Changes the names of the signed-in user. Session: user, one unit; one audit row if anything changed.
   * @throws AppError `user.not_found`, `precondition.failed`
   */
  update(changes: UpdateUserDto, ifMatch: Preconditions | undefined): Promise<UserDto> {
    return this.database.unit(async (unit) => {
      const users = unit.of(User);
      const user = await users.find(ownId(), { lock: true });
      if (!user) throw new AppError('user.not_found');
      assertVersion(user, ifMatch);
      return UserDto.from(await users.update(user, { firstName: changes.firstName, lastName: changes.lastName }));
    });
  }
}
