import { Global, Module } from '@nestjs/common';
import { DataKeyMemory } from './data-key-memory';
import { DataKeyStore } from './data-key-store';
import { DataKeys } from './data-keys';
import { EncryptionService } from './encryption.service';
import { KeyHolders } from './key-holders';
import { LocalMasterKeys } from './local-master-keys';
import { MasterKeys } from './master-keys';

/** Sealing of secrets at rest, for every module. Needs DatabaseModule, where the wrapped keys are, and RedisModule. */
@Global()
@Module({
  providers: [
    EncryptionService,
    DataKeys,
    DataKeyMemory,
    DataKeyStore,
    KeyHolders,
    { provide: MasterKeys, useClass: LocalMasterKeys },
  ],
  exports: [EncryptionService, MasterKeys],
})
export class EncryptionModule {}
