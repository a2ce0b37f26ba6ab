import { createInterface } from 'node:readline';
import type { ScheduledTask } from '../../../src/platform/scheduler/scheduled-task';
import { HOLD_LINE, HOLDING_LINE } from './scheduled-runs';
import { runWorker } from '../serve-worker';
import { pause } from '../../support/wait-for';

/** A worker of the scheduler scenario that can be killed: `scheduled-runs-worker.ts <tasks> <every seconds>`. */
const [tasks = '1', everySeconds = '2'] = process.argv.slice(2);

let isHolding = false;
let heldRuns = 0;

/** Holds each run when asked, so that a kill hits it. */
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
      if (isHolding) return hold();
      const ms = 400 + Math.random() * 200;
      await pause(ms, 'a run of a task takes time');
      return { ms: Math.round(ms) };
    },
  };
}

function hold(): Promise<never> {
  heldRuns += 1;
  console.log(`${HOLDING_LINE}${heldRuns}`);
  return new Promise(() => undefined);
}

createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === HOLD_LINE) isHolding = true;
});
runWorker(Array.from({ length: Number(tasks) }, (_, i) => buildTask(i)));
