import { setTimeout as sleep } from 'node:timers/promises';
import type { ScheduledTask } from '../../../src/platform/scheduler/scheduled-task';
import { WORKING_LINE } from './scheduled-runs';
import { runWorker } from '../serve-worker';

/** A worker of the proof of firings, a process of its own that can be killed: `firings-worker.ts <tasks> <every seconds>`. */
const [tasks = '1', everySeconds = '2'] = process.argv.slice(2);

/** Says that it is at work and does nothing for a while, so that a kill finds it there. */
function buildTask(name: number): ScheduledTask {
  return {
    id: `firing-${name}`,
    description: 'A task of a proof.',
    cron: `*/${everySeconds} * * * * *`,
    timezone: 'UTC',
    timeoutMs: 30_000,
    retries: 3,
    missedRunImpact: 'The proof fails.',
    run: async () => {
      console.log(WORKING_LINE);
      const ms = 400 + Math.random() * 200;
      await sleep(ms);
      return { ms: Math.round(ms) };
    },
  };
}

runWorker(Array.from({ length: Number(tasks) }, (_, i) => buildTask(i)));
