import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks a second in /proc; 100 on all common Linux systems. */
const TICKS = Number(process.platform === 'linux' ? execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }) : 100);

/**
 * Returns the CPU time of a process so far, in microseconds: the sum of its running threads, which the kernel counts in
 * nanoseconds. NaN without /proc.
 * @see https://docs.kernel.org/scheduler/sched-stats.html
 */
export function readCpu(pid: number): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`).map((thread) => readThreadCpu(`/proc/${pid}/task/${thread}`));
    return threads.reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1_000;
  } catch {
    return NaN;
  }
}

/** Returns the nanoseconds of a thread; 0 for one that ended meanwhile. */
function readThreadCpu(folder: string): number {
  try {
    return Number(readFileSync(`${folder}/schedstat`, 'utf8').split(' ', 1)[0]);
  } catch {
    return 0;
  }
}

/** Returns the CPU time of ended child processes, in microseconds. The kernel reports it in ticks. */
export function readCpuOfEndedChildren(): number {
  return toMicroseconds(readStat(process.pid)?.endedTicks ?? NaN);
}

/** Returns the current memory of a process, in MiB; NaN without /proc. @see man 5 proc, VmRSS */
export function readMemory(pid: number): number {
  return readStatus(pid, /^VmRSS:\s+(\d+) kB/m) / 1024;
}

/** Returns the peak memory of a process, in MiB; NaN without /proc. @see man 5 proc, VmHWM */
export function readPeakMemory(pid: number): number {
  return readStatus(pid, /^VmHWM:\s+(\d+) kB/m) / 1024;
}

function readStatus(pid: number, field: RegExp): number {
  try {
    return Number(field.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return NaN;
  }
}

/**
 * Returns the CPU time of PostgreSQL: the server, ended backends and running ones. A backend that ends meanwhile may be
 * missed or counted twice, so the values are read again, up to a limit.
 */
export function readCpuOfPostgres(pid: number, readings = 10): number {
  const before = readStat(pid);
  if (!before) return NaN;
  const backends = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && readStat(Number(name))?.parent === pid)
    .map((name) => readCpu(Number(name)) || 0);
  const running = backends.reduce((sum, cpu) => sum + cpu, readCpu(pid));
  const endedTicks = readStat(pid)?.endedTicks ?? before.endedTicks;
  if (endedTicks !== before.endedTicks && readings > 1) return readCpuOfPostgres(pid, readings - 1);
  return running + toMicroseconds(endedTicks);
}

function toMicroseconds(ticks: number): number {
  return (ticks / TICKS) * 1e6;
}

interface ProcessStat {
  readonly parent: number;
  /** CPU time of ended children. */
  readonly endedTicks: number;
}

/** @see man 5 proc: fields 4, 16 and 17; the name in field 2 may contain spaces */
function readStat(pid: number): ProcessStat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const field = (number: number): number => fields[number - 3] ?? 0;
    return { parent: field(4), endedTicks: field(16) + field(17) };
  } catch {
    return undefined;
  }
}
