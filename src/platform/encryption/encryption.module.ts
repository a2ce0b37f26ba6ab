import { Global, Module, type OnApplicationBootstrap, type OnModuleInit, Optional } from '@nestjs/common';
import { Config } from '../config/config';
import { ConfigError } from '../config/load-config';
import { HealthService } from '../health/health.service';
import { EncryptionError } from './ciphertext';
import { DataKeyCache, DataKeys, DataKeyStore } from './data-keys';
import { EncryptionService } from './encryption.service';
import { KeyInventory } from './key-inventory';
import { createMasterKeys, KmsMasterKeys } from './kms/kms-master-keys';
import { MasterKeys } from './master-keys';
import { SecretKeyCheck } from './secret-key-check';

/** Encryption of secrets at rest. Needs DatabaseModule, for the wrapped keys, and RedisModule. */
@Global()
@Module({
  providers: [
    EncryptionService,
    DataKeys,
    DataKeyCache,
    DataKeyStore,
    KeyInventory,
    SecretKeyCheck,
    { provide: MasterKeys, useFactory: createMasterKeys, inject: [Config] },
  ],
  exports: [EncryptionService, MasterKeys],
})
export class EncryptionModule implements OnModuleInit, OnApplicationBootstrap {
  constructor(
    private readonly masterKeys: MasterKeys,
    private readonly dataKeys: DataKeys,
    private readonly secretKeyCheck: SecretKeyCheck,
    private readonly config: Config,
    @Optional() private readonly health?: HealthService,
  ) {}

  /** Adds the key management service to readiness. */
  onModuleInit(): void {
    const { masterKeys } = this;
    if (masterKeys instanceof KmsMasterKeys) this.health?.register('encryption', () => masterKeys.check());
  }

  /**
   * Refuses to start with the SECRET_KEY or master keys of another database, after the schema was checked.
   * @throws ConfigError that names the setting
   */
  async onApplicationBootstrap(): Promise<void> {
    await this.secretKeyCheck.verify();
    // A key management service may be away during the start; readiness and `npm run doctor` report it.
    if (this.masterKeys instanceof KmsMasterKeys) return;
    try {
      await this.dataKeys.verify();
    } catch (error) {
      if (error instanceof EncryptionError) throw describeForeignKeys(this.config.encryption, error);
      throw error;
    }
  }
}

function describeForeignKeys({ keyFile }: Config['encryption'], { message }: EncryptionError): ConfigError {
  const found = keyFile === undefined ? 'the keys belong' : `${keyFile} belongs`;
  const name = keyFile === undefined ? 'ENCRYPTION_KEYS' : 'ENCRYPTION_KEY_FILE';
  return new ConfigError([`${name}: ${found} to another database (${message}): restore your copy`]);
}
