import { Global, Module } from '@nestjs/common';
import { DataKeyCache } from './data-key-cache';
import { DataKeys, DataKeyStore } from './data-keys';
import { EncryptionService } from './encryption.service';
import { KeyInventory } from './key-inventory';
import { LocalMasterKeys, MasterKeys } from './master-keys';

/** Sealing of secrets at rest, for every module. Needs DatabaseModule, where the wrapped keys are, and RedisModule. */
@Global()
@Module({
  providers: [
    EncryptionService,
    DataKeys,
    DataKeyCache,
    DataKeyStore,
    KeyInventory,
    { provide: MasterKeys, useClass: LocalMasterKeys },
  ],
  exports: [EncryptionService, MasterKeys],
})
export class EncryptionModule {}
