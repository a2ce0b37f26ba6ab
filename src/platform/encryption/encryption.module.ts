import { Global, Module, type OnModuleInit, Optional } from '@nestjs/common';
import { Config } from '../config/config';
import { HealthService } from '../health/health.service';
import { DataKeyCache, DataKeys, DataKeyStore } from './data-keys';
import { EncryptionService } from './encryption.service';
import { KeyInventory } from './key-inventory';
import { createMasterKeys, KmsMasterKeys } from './kms/kms-master-keys';
import { MasterKeys } from './master-keys';

/** Encryption of secrets at rest. Needs DatabaseModule, for the wrapped keys, and RedisModule. */
@Global()
@Module({
  providers: [
    EncryptionService,
    DataKeys,
    DataKeyCache,
    DataKeyStore,
    KeyInventory,
    { provide: MasterKeys, useFactory: createMasterKeys, inject: [Config] },
  ],
  exports: [EncryptionService, MasterKeys],
})
export class EncryptionModule implements OnModuleInit {
  constructor(
    private readonly masterKeys: MasterKeys,
    @Optional() private readonly health?: HealthService,
  ) {}

  /** Adds the key management service to readiness. */
  onModuleInit(): void {
    const { masterKeys } = this;
    if (masterKeys instanceof KmsMasterKeys) this.health?.register('encryption', () => masterKeys.check());
  }
}
