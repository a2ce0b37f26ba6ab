import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '../audit/audit.module';
import { UpworkModule } from '../upwork/upwork.module';
import { AuthorizationsService } from './authorizations.service';
import { CapabilityChecksService } from './capability-checks.service';
import { TokenRefreshService } from './token-refresh.service';
import { TokenEncryptionService } from './token-encryption.service';
import { TokensController } from './tokens.controller';
import { TokensService } from './tokens.service';
import { UpworkUserIdService } from './upwork-user-id.service';
import { UserToken } from './user-token.entity';

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
    UpworkUserIdService,
  ],
  exports: [TokenRefreshService, UpworkUserIdService],
})
export class TokensModule {}
