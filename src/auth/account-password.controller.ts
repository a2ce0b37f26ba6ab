import { Body, Controller, HttpCode, HttpStatus, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { OpenBeforeEnrolment, Public, SignedIn } from '../platform/http/access/access';
import { NotIdempotent } from '../platform/idempotency/idempotency.interceptor';
import { ChangePasswordDto, EmailDto, ResetPasswordDto, StepUpDto } from './auth.dto';
import { AccountPasswordService } from './account-password.service';

/** Routes for the user's own password. */
@ApiTags('Auth')
@NotIdempotent('its requests contain passwords, and have the same effect when repeated')
@Controller({ path: 'auth', version: '1' })
export class AccountPasswordController {
  constructor(private readonly passwords: AccountPasswordService) {}

  @Post('password/forgot')
  @Public('a user without their password cannot sign in')
  @HttpCode(HttpStatus.ACCEPTED)
  @ApiOperation({
    operationId: 'requestPasswordReset',
    summary: 'Request a password reset',
    description:
      'Sends a reset link, valid for 30 minutes. The response is the same whether or not the address has an account.',
  })
  @ApiAcceptedResponse({ description: 'An email is sent if the account exists.' })
  requestReset(@Body() { email }: EmailDto): Promise<void> {
    return this.passwords.requestReset(email);
  }

  @Post('password/reset')
  @Public('the token of the email identifies the user')
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiOperation({
    operationId: 'resetPassword',
    summary: 'Reset a password',
    description:
      'Takes the token of the reset link, which can be used once. Ends all sessions. Two-factor sign-in stays on.',
  })
  @ApiNoContentResponse({ description: 'The password is set. Sign in with it.' })
  reset(@Body() { token, password }: ResetPasswordDto): Promise<void> {
    return this.passwords.reset(token, password);
  }

  @Post('password')
  @SignedIn()
  @OpenBeforeEnrolment()
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiOperation({
    operationId: 'changePassword',
    summary: 'Change your password',
    description: 'Needs the current password. Ends all other sessions.',
  })
  @ApiNoContentResponse({ description: 'The new password is set.' })
  change(@Body() { currentPassword, newPassword }: ChangePasswordDto): Promise<void> {
    return this.passwords.change(currentPassword, newPassword);
  }

  @Post('step-up')
  @SignedIn()
  @OpenBeforeEnrolment()
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiOperation({
    operationId: 'stepUp',
    summary: 'Re-authenticate',
    description: 'For 10 minutes this session may use the routes that answer 403 `auth.step_up_required` otherwise.',
  })
  @ApiNoContentResponse({ description: 'The session is re-authenticated.' })
  stepUp(@Body() { password, code }: StepUpDto): Promise<void> {
    return this.passwords.stepUp(password, code);
  }
}
