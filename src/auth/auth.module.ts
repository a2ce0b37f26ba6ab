import { Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { PassportModule } from '@nestjs/passport';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Authenticator } from '../platform/http/access/access';
import { AccessTokensService, RefreshTokensService } from './access-tokens/access-tokens.service';
import { AccountsService } from './accounts/accounts.service';
import { AuthController } from './auth.controller';
import { FirstAdminService } from './accounts/first-admin.service';
import { JwtAuthGuard, JwtStrategy, SessionAuthenticatorService } from './sessions/jwt-auth.guard';
import { EmailLinksController } from './email-links.controller';
import { MfaController } from './mfa/mfa.controller';
import { MfaService, SecondFactorService, ReauthenticationService } from './mfa/mfa.service';
import { PendingSignInsService, SignInMfaService, SignInService } from './sign-in.service';
import { UserMfa } from './mfa/user-mfa.entity';
import { AccountNotificationsService } from './accounts/account-notifications.service';
import { AccountPasswordController } from './account-password.controller';
import { AccountPasswordService } from './account-password.service';
import { AccountSessionsController } from './sessions/account-sessions.controller';
import { AccountSessionsService } from './sessions/account-sessions.service';
import { PasswordsService } from './passwords/passwords.service';
import { RegistrationService } from './accounts/registration.service';
import { SecurityEventsService } from './security-events/security-events.service';
import { SessionCacheService } from './sessions/session-cache.service';
import { SessionTokensService } from './sessions/session-tokens.service';
import { SessionsService } from './sessions/sessions.service';
import { LoginThrottleService } from './login-throttle/login-throttle.service';

/** Registration, sign-in and sessions, and the guard that runs before every route. */
@Global()
@Module({
  imports: [PassportModule, TypeOrmModule.forFeature([UserMfa])],
  controllers: [
    AuthController,
    EmailLinksController,
    MfaController,
    AccountPasswordController,
    AccountSessionsController,
  ],
  providers: [
    { provide: APP_GUARD, useClass: JwtAuthGuard },
    { provide: Authenticator, useClass: SessionAuthenticatorService },
    AccessTokensService,
    AccountsService,
    FirstAdminService,
    JwtStrategy,
    MfaService,
    AccountNotificationsService,
    AccountPasswordService,
    AccountSessionsService,
    ReauthenticationService,
    PasswordsService,
    PendingSignInsService,
    RefreshTokensService,
    RegistrationService,
    SecondFactorService,
    SecurityEventsService,
    SessionCacheService,
    SessionTokensService,
    SessionsService,
    SignInMfaService,
    SignInService,
    LoginThrottleService,
  ],
  exports: [
    Authenticator,
    AccessTokensService,
    AccountsService,
    MfaService,
    AccountNotificationsService,
    AccountPasswordService,
    AccountSessionsService,
    SecurityEventsService,
    SessionsService,
    SignInMfaService,
    SignInService,
    LoginThrottleService,
  ],
})
export class AuthModule {}
