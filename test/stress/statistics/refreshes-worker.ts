import { REFRESH_JOB_STATS } from '../../../src/analytics/refresh-job-stats.task';
import { runWorker } from '../serve-worker';

/** A worker of the statistics scenario, which refreshes them every second. */
runWorker([{ ...REFRESH_JOB_STATS, cron: '* * * * * *', runsAtBoot: false }]);
