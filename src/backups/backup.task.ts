import type { ScheduledTask } from '../platform/scheduler/scheduled-task';
import { BackupRun } from './backup-run.service';

/** Makes the backups, and restores each to see that it is one. */
export const BACKUP: ScheduledTask = {
  id: 'backup',
  description:
    'Dumps the database, sealed, to BACKUP_DIR or the S3 bucket, restores the dump into a scratch cluster and compares; removes what the rule does not keep.',
  cron: '12 2 * * *',
  timezone: 'UTC',
  timeoutMs: 6 * 3_600_000,
  retries: 1,
  whatAMissMeans: 'What is written since the last verified backup is lost with the disk.',
  soonAfterBoot: true,
  run: (context) => context.service(BackupRun).run(context),
};
