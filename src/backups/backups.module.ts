import { Module, type OnModuleInit } from '@nestjs/common';
import { Config } from '../platform/config/config';
import { ConfigError } from '../platform/config/load-config';
import { whyNotUsable } from '../platform/config/usable-folder';
import { BackupRunService } from './backup-run.service';
import { BackupStore } from './storage/backup-store';
import { BackupRetentionService } from './backup-retention.service';
import { createBackupStore } from './storage/s3-store';

/** Backup runs of the worker. Needs EncryptionModule and DatabaseModule. */
@Module({
  providers: [
    BackupRunService,
    BackupRetentionService,
    { provide: BackupStore, inject: [Config], useFactory: ({ backups }: Config) => createBackupStore(backups) },
  ],
  exports: [BackupRunService],
})
export class BackupsModule implements OnModuleInit {
  constructor(private readonly config: Config) {}

  /** @throws ConfigError when backups cannot be written; otherwise the first run would fail a day later */
  async onModuleInit(): Promise<void> {
    const { s3, folder } = this.config.backups;
    const problem = s3 ? undefined : await whyNotUsable(folder);
    if (problem !== undefined) throw new ConfigError([`BACKUP_DIR is not usable: ${problem}.`]);
  }
}
