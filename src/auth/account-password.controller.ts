import { Body, Controller, HttpCode, HttpStatus } from '@nestjs/common';
import { ApiAcceptedResponse, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Public, SignedIn } from '../platform/http/access/access';
import { Post } from '../platform/idempotency/post';
import { ChangePasswordDto, EmailDto, ResetPasswordDto, StepUpDto } from './auth.dto';
import { AccountPasswordService } from './account-password.service';

/** One's own password. */
@ApiTags('Auth')
@Controller({ path: 'auth', version: '1' })
export class AccountPasswordController {
  constructor(private readonly passwords: AccountPasswordService) {}

  @Post('password/forgot')
  @Public('who forgot his password cannot sign in')
  @HttpCode(HttpStatus.ACCEPTED)
  @ApiOperation({
    operationId: 'requestPasswordReset',
    summary: 'Ask for a link to set a new password',
    description: 'The answer is the same whether or not the address has an account.',
  })
  @ApiAcceptedResponse({ description: 'If there is such an account, a letter is on its way.' })
  requestReset(@Body() { email }: EmailDto): Promise<void> {
    return this.passwords.requestReset(email);
  }

  @Post('password/reset')
  @Public('the mailed token proves who asks')
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiOperation({
    operationId: 'resetPassword',
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
  @ApiOperation({
    operationId: 'changePassword',
    summary: 'Change your password',
    description: 'Ends all other sessions.',
  })
  @ApiNoContentResponse({ description: 'The new password counts.' })
  change(@Body() { currentPassword, newPassword }: ChangePasswordDto): Promise<void> {
    return this.passwords.change(currentPassword, newPassword);
  }

  @Post('step-up')
  @SignedIn()
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiOperation({
    operationId: 'stepUp',
    summary: 'Confirm who you are',
    description: 'For 10 minutes this session may do what else answers 403 `auth.step_up_required`.',
  })
  @ApiNoContentResponse({ description: 'The session is fresh.' })
  stepUp(@Body() { password, code }: StepUpDto): Promise<void> {
    return this.passwords.stepUp(password, code);
  }
}
