import { Module, type OnModuleInit } from '@nestjs/common';
import { Config } from '../platform/config/config';
import { ConfigError } from '../platform/config/load-config';
import { whyNotUsable } from '../platform/config/usable-folder';
import { BackupRun } from './backup-run.service';
import { BackupStore } from './backup-store';
import { KeptBackups } from './kept-backups.service';
import { storeOf } from './store-of';

/** Making and checking backups, for the worker. Needs EncryptionModule and DatabaseModule. */
@Module({
  providers: [
    BackupRun,
    KeptBackups,
    { provide: BackupStore, inject: [Config], useFactory: ({ backups }: Config) => storeOf(backups) },
  ],
  exports: [BackupRun],
})
export class BackupsModule implements OnModuleInit {
  constructor(private readonly config: Config) {}

  /** @throws ConfigError when no backup could be written, which would show a day later only */
  async onModuleInit(): Promise<void> {
    const { s3, folder } = this.config.backups;
    const problem = s3 ? undefined : await whyNotUsable(folder);
    if (problem !== undefined) throw new ConfigError([`BACKUP_DIR is not usable: ${problem}.`]);
  }
}
