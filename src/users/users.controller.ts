import { Body, Controller, Get, Patch } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { SignedIn } from '../platform/http/access';
import { IfMatch, type Preconditions } from '../platform/http/if-match';
import { UpdateUserDto } from './dto/update-user.dto';
import { UserDto } from './dto/user.dto';
import { UsersService } from './users.service';

/** One's own account. */
@ApiTags('Users')
@SignedIn()
@Controller({ path: 'users', version: '1' })
export class UsersController {
  constructor(private readonly users: UsersService) {}

  @Get('me')
  @ApiOperation({ summary: 'Read your account', description: 'Your own names, address and standing.' })
  @ApiOkResponse({ type: UserDto })
  get(): Promise<UserDto> {
    return this.users.get();
  }

  @Patch('me')
  @ApiOperation({ summary: 'Change your names', description: 'A merge patch; null clears a name.' })
  @ApiOkResponse({ type: UserDto })
  update(@Body() dto: UpdateUserDto, @IfMatch() ifMatch?: Preconditions): Promise<UserDto> {
    return this.users.update(dto, ifMatch);
  }
}
