import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '../audit/audit.module';
import { declareConstraint } from '../platform/errors/postgres-errors';
import { UpworkModule } from '../upwork/upwork.module';
import { AuthorizationsService } from './authorizations.service';
import { CapabilityChecksService } from './capability-checks.service';
import { TokenRefreshService } from './token-refresh.service';
import { TokenEncryptionService } from './token-encryption.service';
import { TokensController } from './tokens.controller';
import { TokensService } from './tokens.service';
import { UpworkAccountService } from './upwork-account.service';
import { UserToken } from './user-token.entity';

declareConstraint('user_tokens_connection_key', {
  code: 'token.already_exists',
  pointer: '/organizationId',
  message: 'You already have a connection for this organization. Use that one, or delete it first.',
});

/** Connections to providers: OAuth authorization, encrypted storage, automatic refresh. */
@Module({
  imports: [TypeOrmModule.forFeature([UserToken]), AuditModule, UpworkModule],
  controllers: [TokensController],
  providers: [
    TokensService,
    TokenEncryptionService,
    TokenRefreshService,
    AuthorizationsService,
    CapabilityChecksService,
    UpworkAccountService,
  ],
  exports: [TokenRefreshService, UpworkAccountService],
})
export class TokensModule {}
