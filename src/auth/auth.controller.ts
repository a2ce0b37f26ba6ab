import { Body, Controller, HttpCode, HttpStatus, Post } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiExtraModels,
  ApiForbiddenResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import { Public } from '../platform/http/access/access';
import { NotIdempotent } from '../platform/idempotency/idempotency.interceptor';
import { EmailDto, LoginDto, RegisterDto, VerifyEmailDto } from './auth.dto';
import { RefreshDto, TokenPairDto } from './sessions/sessions.dto';
import { LoginMfaDto, MfaRequiredDto } from './mfa/mfa.dto';
import { SignInMfaService, SignInService } from './sign-in.service';
import { RegistrationService } from './accounts/registration.service';
import { SessionTokensService } from './sessions/session-tokens.service';

/** Routes for registration, sign-in and refresh. */
@ApiTags('Auth')
@NotIdempotent('its callers are not signed in, and responses contain tokens')
@Controller({ path: 'auth', version: '1' })
export class AuthController {
  constructor(
    private readonly registration: RegistrationService,
    private readonly signIn: SignInService,
    private readonly signInMfa: SignInMfaService,
    private readonly tokens: SessionTokensService,
  ) {}

  @Post('register')
  @Public('a new user has no account to sign in with')
  @HttpCode(HttpStatus.ACCEPTED)
  @ApiOperation({
    operationId: 'register',
    summary: 'Create an account',
    description:
      'Sends a verification link, valid for 24 hours. The response is the same whether or not the address has an ' +
      'account. With REGISTRATION_ENABLED=false it is 403 for every address.',
  })
  @ApiAcceptedResponse({ description: 'An email is sent.' })
  @ApiForbiddenResponse({ description: '`auth.registration_closed`: this installation accepts no registrations.' })
  register(@Body() dto: RegisterDto): Promise<void> {
    return this.registration.register(dto);
  }

  @Post('verify-email')
  @Public('the token of the email identifies the user')
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiOperation({
    operationId: 'verifyEmail',
    summary: 'Verify an email address',
    description:
      'Takes the token of a verification link, which can be used once, and the password of the registration that the ' +
      'link belongs to. With a resent link it sets the password.',
  })
  @ApiNoContentResponse({ description: 'The account may sign in.' })
  verifyEmail(@Body() { token, password }: VerifyEmailDto): Promise<void> {
    return this.registration.verifyEmail(token, password);
  }

  @Post('verify-email/resend')
  @Public('a user with an unverified address cannot sign in')
  @HttpCode(HttpStatus.ACCEPTED)
  @ApiOperation({
    operationId: 'resendVerification',
    summary: 'Resend the verification email',
    description:
      'The new link sets a new password. The response is the same whether or not the address has an account to verify.',
  })
  @ApiAcceptedResponse({ description: 'An email is sent if there is an account to verify.' })
  resendVerification(@Body() { email }: EmailDto): Promise<void> {
    return this.registration.resendVerification(email);
  }

  @Post('login')
  @Public('users sign in with this route')
  @HttpCode(HttpStatus.OK)
  @ApiOperation({
    operationId: 'login',
    summary: 'Sign in',
    description:
      'An unknown address and a wrong password get the same 401. With two-factor sign-in the response is an ' +
      '`mfaToken` ' +
      'for POST /v1/auth/login/mfa.',
  })
  @ApiExtraModels(TokenPairDto, MfaRequiredDto)
  @ApiOkResponse({
    description: 'The tokens of a new session, or the token of the second step.',
    schema: { oneOf: [TokenPairDto, MfaRequiredDto].map((dto) => ({ $ref: getSchemaPath(dto) })) },
  })
  login(@Body() { email, password }: LoginDto): Promise<TokenPairDto | MfaRequiredDto> {
    return this.signIn.login(email, password);
  }

  @Post('login/mfa')
  @Public('the mfaToken shows that the password was right')
  @HttpCode(HttpStatus.OK)
  @ApiOperation({
    operationId: 'completeMfaLogin',
    summary: 'Complete two-factor sign-in',
    description: 'Takes either a code of the authenticator or a backup code. Each code can be used once.',
  })
  @ApiOkResponse({ type: TokenPairDto })
  loginMfa(@Body() { mfaToken, code, backupCode }: LoginMfaDto): Promise<TokenPairDto> {
    return this.signInMfa.complete(mfaToken, { code, backupCode });
  }

  @Post('refresh')
  @Public('the refresh token identifies the session')
  @HttpCode(HttpStatus.OK)
  @ApiOperation({
    operationId: 'refreshSession',
    summary: 'Refresh a session',
    description:
      'Returns a new pair of tokens. Each refresh token can be used once; parallel uses within 10 s get the same ' +
      'pair. ' +
      'A later reuse ends the session.',
  })
  @ApiOkResponse({ type: TokenPairDto })
  refresh(@Body() { refreshToken }: RefreshDto): Promise<TokenPairDto> {
    return this.tokens.refresh(refreshToken);
  }
}
