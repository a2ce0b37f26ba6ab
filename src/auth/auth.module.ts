import { Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { PassportModule } from '@nestjs/passport';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Authenticator } from '../platform/http/authenticator';
import { AccessTokens } from './access-tokens.service';
import { Accounts } from './accounts.service';
import { AuthController } from './auth.controller';
import { FirstAdmin } from './first-admin.service';
import { JwtAuthGuard } from './jwt-auth.guard';
import { JwtStrategy } from './jwt.strategy';
import { MailLinksController } from './mail-links.controller';
import { MfaController } from './mfa/mfa.controller';
import { MfaService } from './mfa/mfa.service';
import { PendingSignIns } from './mfa/pending-sign-ins.service';
import { SecondFactor } from './mfa/second-factor.service';
import { SignInMfaService } from './mfa/sign-in-mfa.service';
import { UserMfa } from './mfa/user-mfa.entity';
import { Notices } from './notices.service';
import { OwnPasswordController } from './own-password.controller';
import { OwnPassword } from './own-password.service';
import { OwnSessionsController } from './own-sessions.controller';
import { OwnSessions } from './own-sessions.service';
import { OwnerCheck } from './owner-check.service';
import { Passwords } from './passwords.service';
import { RefreshTokens } from './refresh-tokens.service';
import { RegistrationService } from './registration.service';
import { SecurityEvents } from './security-events.service';
import { SessionAuthenticator } from './session-authenticator.service';
import { SessionMemory } from './session-memory.service';
import { SessionTokens } from './session-tokens.service';
import { SessionsService } from './sessions.service';
import { SignInService } from './sign-in.service';
import { Throttle } from './throttle.service';

/** Sign-up, sign-in and sessions, and the guard that stands before every route of the application. */
@Global()
@Module({
  imports: [PassportModule, TypeOrmModule.forFeature([UserMfa])],
  controllers: [AuthController, MailLinksController, MfaController, OwnPasswordController, OwnSessionsController],
  providers: [
    { provide: APP_GUARD, useClass: JwtAuthGuard },
    { provide: Authenticator, useClass: SessionAuthenticator },
    AccessTokens,
    Accounts,
    FirstAdmin,
    JwtStrategy,
    MfaService,
    Notices,
    OwnPassword,
    OwnSessions,
    OwnerCheck,
    Passwords,
    PendingSignIns,
    RefreshTokens,
    RegistrationService,
    SecondFactor,
    SecurityEvents,
    SessionMemory,
    SessionTokens,
    SessionsService,
    SignInMfaService,
    SignInService,
    Throttle,
  ],
  exports: [
    Authenticator,
    AccessTokens,
    Accounts,
    MfaService,
    Notices,
    OwnPassword,
    OwnSessions,
    SecurityEvents,
    SessionsService,
    SignInMfaService,
    SignInService,
    Throttle,
  ],
})
export class AuthModule {}
