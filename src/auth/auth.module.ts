import { Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { PassportModule } from '@nestjs/passport';
import { Authenticator } from '../platform/http/authenticator';
import { AccessTokens } from './access-tokens.service';
import { Accounts } from './accounts.service';
import { AuthController } from './auth.controller';
import { FirstAdmin } from './first-admin.service';
import { JwtAuthGuard } from './jwt-auth.guard';
import { JwtStrategy } from './jwt.strategy';
import { Passwords } from './passwords.service';
import { RefreshTokens } from './refresh-tokens.service';
import { RegistrationService } from './registration.service';
import { SecurityEvents } from './security-events.service';
import { SessionAuthenticator } from './session-authenticator.service';
import { SessionTokens } from './session-tokens.service';
import { SessionsService } from './sessions.service';
import { SignInService } from './sign-in.service';

/** Sign-up, sign-in and sessions, and the guard that stands before every route of the application. */
@Global()
@Module({
  imports: [PassportModule],
  controllers: [AuthController],
  providers: [
    { provide: APP_GUARD, useClass: JwtAuthGuard },
    { provide: Authenticator, useClass: SessionAuthenticator },
    AccessTokens,
    Accounts,
    FirstAdmin,
    JwtStrategy,
    Passwords,
    RefreshTokens,
    RegistrationService,
    SecurityEvents,
    SessionTokens,
    SessionsService,
    SignInService,
  ],
  exports: [Authenticator, AccessTokens, SessionsService, SignInService],
})
export class AuthModule {}
