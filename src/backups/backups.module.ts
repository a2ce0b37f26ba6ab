import { Module } from '@nestjs/common';
import { Config } from '../platform/config/config';
import { BackupRun } from './backup-run.service';
import { BackupStore } from './backup-store';
import { KeptBackups } from './kept-backups.service';
import { storeOf } from './store-of';

/** Making and checking backups, for the worker. Needs EncryptionModule and DatabaseModule. */
@Module({
  providers: [BackupRun, KeptBackups, { provide: BackupStore, inject: [Config], useFactory: ({ backups }: Config) => storeOf(backups) }],
  exports: [BackupRun],
})
export class BackupsModule {}
