import { SEND_DELIVERIES } from './webhooks/send-deliveries.task';
import { END_ORPHANED_AI_CALLS } from './ai/generations/end-orphaned-ai-calls.task';
import { RECORD_DAILY_METRICS } from './analytics/record-daily-metrics.task';
import { REFRESH_JOB_STATS } from './analytics/refresh-job-stats.task';
import { CREATE_PARTITIONS } from './audit/create-partitions.task';
import { STREAM_AUDIT_LOGS } from './audit/export/stream-audit-logs.task';
import { SEAL_AUDIT_LOGS, VERIFY_AUDIT_LOGS } from './audit/seals/seal-audit-logs.task';
import { EMAIL_AUDIT_HEAD, POST_AUDIT_HEAD } from './audit/witnesses/send-audit-head.task';
import { WITNESS_AUDIT_HEAD } from './audit/witnesses/witness-audit-head.task';
import { DETECT_SUSPICIOUS_ACCESS } from './auth/security-events/detect-suspicious-access.task';
import { BACKUP } from './backups/backup-run.service';
import { EXPIRE_FETCHED_JOBS } from './jobs/expire-fetched-jobs.task';
import { ROTATE_ENCRYPTION_KEYS } from './platform/encryption/rotate-encryption-keys.task';
import { SEND_MAILS } from './platform/mail/send-mails.task';
import type { ScheduledTask } from './platform/scheduler/scheduled-task';
import { CHECK_DELIVERIES } from './messages/check-deliveries.task';
import { CHECK_CAPABILITIES } from './tokens/check-capabilities.task';
import { SYNC_CONNECTIONS } from './sync/sync-connections.task';
import { REFRESH_CONNECTIONS } from './tokens/refresh-connections.task';
import { PURGE_EXPIRED } from './platform/scheduler/purge-expired.task';
import { REMOVE_ERASED_TEXTS } from './users/remove-erased-texts.task';

/** All scheduled tasks. A task is declared in its domain and listed here. */
export const SCHEDULED_TASKS: readonly ScheduledTask[] = [
  REFRESH_JOB_STATS,
  CREATE_PARTITIONS,
  SEAL_AUDIT_LOGS,
  VERIFY_AUDIT_LOGS,
  WITNESS_AUDIT_HEAD,
  POST_AUDIT_HEAD,
  EMAIL_AUDIT_HEAD,
  STREAM_AUDIT_LOGS,
  PURGE_EXPIRED,
  RECORD_DAILY_METRICS,
  END_ORPHANED_AI_CALLS,
  REFRESH_CONNECTIONS,
  SYNC_CONNECTIONS,
  CHECK_CAPABILITIES,
  CHECK_DELIVERIES,
  SEND_DELIVERIES,
  SEND_MAILS,
  EXPIRE_FETCHED_JOBS,
  DETECT_SUSPICIOUS_ACCESS,
  ROTATE_ENCRYPTION_KEYS,
  REMOVE_ERASED_TEXTS,
  BACKUP,
];
