import { Body, Controller, HttpCode, HttpStatus } from '@nestjs/common';
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
import { Post } from '../platform/idempotency/post';
import { EmailDto, LoginDto, OneTimeTokenDto, RegisterDto } from './auth.dto';
import { RefreshDto, TokenPairDto } from './sessions/sessions.dto';
import { LoginMfaDto, MfaRequiredDto } from './mfa/mfa.dto';
import { SignInMfaService } from './mfa/sign-in-mfa.service';
import { RegistrationService } from './accounts/registration.service';
import { SessionTokensService } from './sessions/session-tokens.service';
import { SignInService } from './sign-in.service';

/** Signing up and in. */
@ApiTags('Auth')
@Controller({ path: 'auth', version: '1' })
export class AuthController {
  constructor(
    private readonly registration: RegistrationService,
    private readonly signIn: SignInService,
    private readonly signInMfa: SignInMfaService,
    private readonly tokens: SessionTokensService,
  ) {}

  @Post('register')
  @Public('nobody is signed in before he has an account')
  @HttpCode(HttpStatus.ACCEPTED)
  @ApiOperation({
    operationId: 'register',
    summary: 'Sign up',
    description:
      'Mails a verification link. The answer is the same whether or not the address has an account. ' +
      'An installation with REGISTRATION_ENABLED=false answers 403 to every address.',
  })
  @ApiAcceptedResponse({ description: 'An email is on its way.' })
  @ApiForbiddenResponse({ description: '`auth.registration_closed`: this installation takes no new accounts.' })
  register(@Body() dto: RegisterDto): Promise<void> {
    return this.registration.register(dto);
  }

  @Post('verify-email')
  @Public('the mailed token proves who asks')
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiOperation({
    operationId: 'verifyEmail',
    summary: 'Confirm an e-mail address',
    description: 'Spends the token of a verification link.',
  })
  @ApiNoContentResponse({ description: 'The account may sign in.' })
  verifyEmail(@Body() { token }: OneTimeTokenDto): Promise<void> {
    return this.registration.verifyEmail(token);
  }

  @Post('verify-email/resend')
  @Public('nobody signs in before his address is verified')
  @HttpCode(HttpStatus.ACCEPTED)
  @ApiOperation({
    operationId: 'resendVerification',
    summary: 'Ask for another verification link',
    description: 'The answer is the same whether or not the address has an account to verify.',
  })
  @ApiAcceptedResponse({ description: 'If there is an account to verify, a letter is on its way.' })
  resendVerification(@Body() { email }: EmailDto): Promise<void> {
    return this.registration.resendVerification(email);
  }

  @Post('login')
  @Public('this is where one signs in')
  @HttpCode(HttpStatus.OK)
  @ApiOperation({
    operationId: 'login',
    summary: 'Sign in',
    description:
      'An unknown address and a wrong password get the same answer, 401. With two-factor sign-in a code must follow.',
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
  @Public('the mfaToken proves the first step')
  @HttpCode(HttpStatus.OK)
  @ApiOperation({
    operationId: 'completeMfaLogin',
    summary: 'Sign in, second step',
    description: 'Takes a code of the authenticator or a backup code, one of the two; each is good once.',
  })
  @ApiOkResponse({ type: TokenPairDto })
  loginMfa(@Body() { mfaToken, code, backupCode }: LoginMfaDto): Promise<TokenPairDto> {
    return this.signInMfa.complete(mfaToken, { code, backupCode });
  }

  @Post('refresh')
  @Public('the refresh token proves who asks')
  @HttpCode(HttpStatus.OK)
  @ApiOperation({
    operationId: 'refreshSession',
    summary: 'Exchange a refresh token',
    description:
      'Each refresh token is good once; parallel uses within 10 s get the same pair. A later reuse ends the session.',
  })
  @ApiOkResponse({ type: TokenPairDto })
  refresh(@Body() { refreshToken }: RefreshDto): Promise<TokenPairDto> {
    return this.tokens.refresh(refreshToken);
  }
}
