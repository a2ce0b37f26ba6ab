import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks a second in /proc; 100 on all common Linux systems. */
const TICKS = Number(process.platform === 'linux' ? execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }) : 100);

/** Returns the CPU time of a process so far, in microseconds; NaN without /proc. */
export function readCpu(pid: number): number {
  const stat = readStat(pid);
  return stat ? (stat.own / TICKS) * 1e6 : NaN;
}

/** Returns the CPU time of ended child processes, in microseconds. */
export function readCpuOfEndedChildren(): number {
  return ((readStat(process.pid)?.ended ?? NaN) / TICKS) * 1e6;
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
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readStat(Number(name)))
    .filter((stat) => stat?.parent === pid);
  const server = readStat(pid) ?? before;
  if (server.ended !== before.ended && readings > 1) return readCpuOfPostgres(pid, readings - 1);
  const ticks = backends.reduce((sum, stat) => sum + (stat?.own ?? 0), server.own + server.ended);
  return (ticks / TICKS) * 1e6;
}

interface ProcessStat {
  readonly parent: number;
  /** Ticks of the process itself. */
  readonly own: number;
  /** Ticks of ended children. */
  readonly ended: number;
}

/** @see man 5 proc: fields 4, 14 to 17; the name in field 2 may contain spaces */
function readStat(pid: number): ProcessStat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const field = (number: number): number => fields[number - 3] ?? 0;
    return { parent: field(4), own: field(14) + field(15), ended: field(16) + field(17) };
  } catch {
    return undefined;
  }
}
