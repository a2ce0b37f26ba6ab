import { setTimeout as sleep } from 'node:timers/promises';
import type { ScheduledTask } from '../../../src/platform/scheduler/scheduled-task';
import { WORKING_LINE } from './scheduled-runs';
import { runWorker } from '../serve-worker';

/** A worker of the scheduler scenario that can be killed: `scheduled-runs-worker.ts <tasks> <every seconds>`. */
const [tasks = '1', everySeconds = '2'] = process.argv.slice(2);

/** Prints that it is running and then waits, so that a kill hits it. */
function buildTask(name: number): ScheduledTask {
  return {
    id: `firing-${name}`,
    description: 'A task of a stress scenario.',
    cron: `*/${everySeconds} * * * * *`,
    timezone: 'UTC',
    timeoutMs: 30_000,
    retries: 3,
    missedRunImpact: 'The scenario fails.',
    run: async () => {
      console.log(WORKING_LINE);
      const ms = 400 + Math.random() * 200;
      await sleep(ms);
      return { ms: Math.round(ms) };
    },
  };
}

runWorker(Array.from({ length: Number(tasks) }, (_, i) => buildTask(i)));
