import { z } from 'zod';
import { integer, secret, url, type SettingExample } from './setting-forms';

function text(description: string, example: string) {
  return z
    .string()
    .optional()
    .describe(description)
    .meta({ example } satisfies SettingExample);
}

/** Where backups go, how long they stay, and where they are tried. */
export const backupSettings = {
  BACKUP_DIR: text(
    'Folder of backups, best of another disk; GIGVAULT_DATA_DIR/backups when unset. Not used with BACKUP_S3_BUCKET.',
    '/var/backups/gigvault',
  ),
  BACKUP_S3_BUCKET: text(
    'Bucket of backups, in any store that speaks S3; with it the endpoint and both keys are required.',
    'gigvault-backups',
  ),
  BACKUP_S3_ENDPOINT: url('http', 'https')
    .optional()
    .describe('Address of the S3 store.')
    .meta({ example: 'https://s3.eu-central-1.amazonaws.com' } satisfies SettingExample),
  BACKUP_S3_REGION: z
    .string()
    .default('us-east-1')
    .describe('Region of the bucket.')
    .meta({ example: 'us-east-1' } satisfies SettingExample),
  BACKUP_S3_PREFIX: z
    .string()
    .regex(/^(?:[\w.-]+\/)*$/, 'must be empty or end with a slash')
    .default('')
    .describe('Put in front of the names in the bucket.')
    .meta({ example: 'gigvault/' } satisfies SettingExample),
  BACKUP_S3_ACCESS_KEY: secret('Access key of the S3 store; it needs to write, read, list and delete.'),
  BACKUP_S3_SECRET_KEY: secret('Secret key of the S3 store.'),
  BACKUP_KEEP_DAILY: integer(7, 1, 366)
    .describe('Verified backups that are kept: the newest of each of so many days …')
    .meta({ example: '7' } satisfies SettingExample),
  BACKUP_KEEP_WEEKLY: integer(4, 0, 104)
    .describe('… and the newest of each of so many weeks …')
    .meta({ example: '4' } satisfies SettingExample),
  BACKUP_KEEP_MONTHLY: integer(1, 0, 120)
    .describe('… and the newest of each of so many months.')
    .meta({ example: '1' } satisfies SettingExample),
  BACKUP_RETENTION_DAYS: integer(35, 1, 3_650)
    .describe(
      'Days after which a backup is gone in any case, but for the newest verified one; a certificate of erasure says until when older ones hold the data.',
    )
    .meta({ example: '35' } satisfies SettingExample),
  BACKUP_MAX_AGE_HOURS: integer(26, 1, 8_760)
    .describe('The dashboard is red when the newest verified backup is older.')
    .meta({ example: '26' } satisfies SettingExample),
  BACKUP_SCRATCH_URL: url('postgres', 'postgresql')
    .optional()
    .describe(
      "A superuser's login of a PostgreSQL that is kept for trying backups, never the one with the data; when unset a cluster is made for each check, by the PostgreSQL that npm or Debian installed.",
    )
    .meta({ example: 'postgres://postgres:change-me@127.0.0.1:5433/postgres' } satisfies SettingExample),
};
