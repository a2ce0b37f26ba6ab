import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '../audit/audit.module';
import { UpworkModule } from '../upwork/upwork.module';
import { Authorizations } from './authorizations.service';
import { TokenRefresher } from './token-refresh.service';
import { TokenVault } from './token-vault.service';
import { TokensController } from './tokens.controller';
import { TokensService } from './tokens.service';
import { UserToken } from './user-token.entity';

/** Connections to providers: stored sealed, made by OAuth, kept alive. */
@Module({
  imports: [TypeOrmModule.forFeature([UserToken]), AuditModule, UpworkModule],
  controllers: [TokensController],
  providers: [TokensService, TokenVault, TokenRefresher, Authorizations],
  exports: [TokenRefresher],
})
export class TokensModule {}
