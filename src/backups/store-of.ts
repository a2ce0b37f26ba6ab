import type { Config } from '../platform/config/config';
import type { BackupStore } from './backup-store';
import { FolderStore } from './folder-store';
import { S3Store } from './s3-store';

/** Where the settings want backups to be. */
export function storeOf({ s3, folder }: Pick<Config['backups'], 's3' | 'folder'>): BackupStore {
  return s3 ? new S3Store(s3) : new FolderStore(folder);
}
