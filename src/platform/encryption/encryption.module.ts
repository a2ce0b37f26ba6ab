import { Global, Module } from '@nestjs/common';
import { DataKeyCache, DataKeys, DataKeyStore } from './data-keys';
import { EncryptionService } from './encryption.service';
import { KeyInventory } from './key-inventory';
import { LocalMasterKeys, MasterKeys } from './master-keys';

/** Encryption of secrets at rest. Needs DatabaseModule, for the wrapped keys, and RedisModule. */
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
