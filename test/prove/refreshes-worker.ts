import { REFRESH_JOB_STATS } from '../../src/analytics/refresh-job-stats.task';
import { serveWorker } from './serve-worker';

/** A worker of the proof of statistics, which refreshes them every second. */
serveWorker([{ ...REFRESH_JOB_STATS, cron: '* * * * * *', soonAfterBoot: false }]);
