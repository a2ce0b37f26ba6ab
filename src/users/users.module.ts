import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '../audit/audit.module';
import { Erasure } from './erasure.service';
import { OwnData } from './export/own-data.service';
import { OwnDataController } from './own-data.controller';
import { OwnLimits } from './own-limits.service';
import { User } from './user.entity';
import { UsersController } from './users.controller';
import { UsersService } from './users.service';

/** Accounts, what is held on their owners, and leaving. */
@Module({
  imports: [TypeOrmModule.forFeature([User]), AuditModule],
  controllers: [UsersController, OwnDataController],
  providers: [UsersService, OwnData, OwnLimits, Erasure],
})
export class UsersModule {}
