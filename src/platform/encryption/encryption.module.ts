import { Global, Module } from '@nestjs/common';
import { EncryptionService } from './encryption.service';

/** Sealing of secrets at rest, for every module. */
@Global()
@Module({ providers: [EncryptionService], exports: [EncryptionService] })
export class EncryptionModule {}
