import { Body, Controller, HttpCode, HttpStatus } from '@nestjs/common';
import { ApiAcceptedResponse, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Public, SignedIn } from '../platform/http/access';
import { Post } from '../platform/idempotency/post';
import { ChangePasswordDto } from './dto/change-password.dto';
import { EmailDto } from './dto/email.dto';
import { ResetPasswordDto } from './dto/reset-password.dto';
import { StepUpDto } from './dto/step-up.dto';
import { OwnPassword } from './own-password.service';

/** One's own password. */
@ApiTags('Auth')
@Controller({ path: 'auth', version: '1' })
export class OwnPasswordController {
  constructor(private readonly passwords: OwnPassword) {}

  @Post('password/forgot')
  @Public('who forgot his password cannot sign in')
  @HttpCode(HttpStatus.ACCEPTED)
  @ApiOperation({
    summary: 'Ask for a link to set a new password',
    description: 'The answer is the same whether or not the address has an account.',
  })
  @ApiAcceptedResponse({ description: 'If there is such an account, a letter is on its way.' })
  forgot(@Body() { email }: EmailDto): Promise<void> {
    return this.passwords.forgot(email);
  }

  @Post('password/reset')
  @Public('the mailed token proves who asks')
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiOperation({
    summary: 'Set a new password by a mailed link',
    description: 'Ends all sessions and begins none: two-factor sign-in still asks for its code.',
  })
  @ApiNoContentResponse({ description: 'Sign in with the new password.' })
  reset(@Body() { token, password }: ResetPasswordDto): Promise<void> {
    return this.passwords.reset(token, password);
  }

  @Post('password')
  @SignedIn()
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiOperation({ summary: 'Change your password', description: 'Ends all other sessions.' })
  @ApiNoContentResponse({ description: 'The new password counts.' })
  change(@Body() { currentPassword, newPassword }: ChangePasswordDto): Promise<void> {
    return this.passwords.change(currentPassword, newPassword);
  }

  @Post('step-up')
  @SignedIn()
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiOperation({
    summary: 'Confirm who you are',
    description: 'For 10 minutes this session may do what else answers 403 `auth.step_up_required`.',
  })
  @ApiNoContentResponse({ description: 'The session is fresh.' })
  stepUp(@Body() { password, code }: StepUpDto): Promise<void> {
    return this.passwords.stepUp(password, code);
  }
}
