import { END_ORPHANED_AI_CALLS } from '../../../src/ai/generations/end-orphaned-ai-calls.task';
import { runWorker } from '../serve-worker';

/**
 * The worker of the AI scenario: settles calls of killed processes, on the task's schedule or `ai-worker.ts <cron>`.
 */
const [cron = END_ORPHANED_AI_CALLS.cron] = process.argv.slice(2);

runWorker([{ ...END_ORPHANED_AI_CALLS, cron }]);
