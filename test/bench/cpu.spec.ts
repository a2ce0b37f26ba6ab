import { spawn, spawnSync } from 'node:child_process';
import { pbkdf2 } from 'node:crypto';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { readCpu, readCpuOfEndedChildren, readCpuOfPostgres } from './cpu';

/** CPU time of a pbkdf2 of this many iterations is far above a tick of 10 ms. */
const ITERATIONS = 500_000;

const BURN = `require('node:crypto').pbkdf2Sync('a', 'b', ${ITERATIONS}, 32, 'sha256')`;

/** Works, then waits for the end of its input. */
const BURN_AND_WAIT = `${BURN}; console.log('done'); process.stdin.resume()`;

describe(readCpu.name, () => {
  it('counts all threads', async () => {
    const [before, usage] = [readCpu(process.pid), process.cpuUsage()];
    await promisify(pbkdf2)('a', 'b', ITERATIONS, 32, 'sha256');
    const counted = readCpu(process.pid) - before;
    const { user, system } = process.cpuUsage(usage);

    expect(counted).toBeGreaterThan((user + system) / 2);
  });

  it('reads more precisely than ticks of 10 ms', () => {
    const readings = Array.from({ length: 4 }, () => readCpu(process.pid) % 10_000);

    expect(readings).not.toEqual([0, 0, 0, 0]);
  });

  it('is NaN for a process that does not exist', () => {
    expect(readCpu(2 ** 31)).toBeNaN();
  });
});

describe(readCpuOfEndedChildren.name, () => {
  it('grows by the time of a child', () => {
    const before = readCpuOfEndedChildren();
    spawnSync(process.execPath, ['-e', BURN]);

    expect(readCpuOfEndedChildren()).toBeGreaterThan(before);
  });
});

describe(readCpuOfPostgres.name, () => {
  it('counts a process with its running and ended children', async () => {
    const script = `
      const { spawn, spawnSync } = require('node:child_process');
      spawnSync(process.execPath, ['-e', ${JSON.stringify(BURN)}]);
      const child = spawn(process.execPath, ['-e', ${JSON.stringify(BURN_AND_WAIT)}]);
      child.stdout.once('data', () => console.log(child.pid));
      process.stdin.on('end', () => child.stdin.end()).resume();`;
    const parent = spawn(process.execPath, ['-e', script]);
    const [output] = (await once(parent.stdout, 'data')) as [Buffer];
    const running = readCpu(Number(output.toString()));

    // The ended child did the same work, and the parent itself started two.
    expect(readCpuOfPostgres(parent.pid!)).toBeGreaterThan(running + readCpu(parent.pid!));
    parent.stdin.end();
    await once(parent, 'exit');
  });
});
