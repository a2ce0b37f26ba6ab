import type { WriteAuditCost } from './audit-cost';
import type { Extras } from './extras';
import { NAMES, type Operation } from './operations';
import type { OperationResult } from './result';
import { CONTENDERS } from './rounds';
import type { Spread } from './statistics';

/** Prints what all contenders did in one operation, and the ratios: the median and [least–greatest] of the rounds. */
export function print(operation: Operation, connections: number, result: OperationResult): void {
  console.log(`\n${operation} ${NAMES[operation]}, ${connections} at a time`);
  console.log('                      rps   p50 ms   p99 ms  CPU µs a request: server  PostgreSQL  Redis  client');
  for (const contender of CONTENDERS) {
    const { rps, p50Ms, p99Ms, serverCpuUs, postgresCpuUs, redisCpuUs, clientCpuUs } =
      result.contenders[contender] ?? {};
    if (rps === undefined || Number.isNaN(rps)) continue;
    const cpu = [cell(serverCpuUs, 25, 0), cell(postgresCpuUs, 12, 0), cell(redisCpuUs, 7, 0), cell(clientCpuUs, 8, 0)];
    console.log(`  ${contender.padEnd(16)}${cell(rps, 9, 0)}${cell(p50Ms, 9, 2)}${cell(p99Ms, 9, 2)}${cpu.join('')}`);
  }
  const { vsFastify, vsFastifyPipelined, vsPgbench, cachedVsFastify, p99Ratio } = result.spread;
  console.log(
    `  product: × ${text(vsFastify)} of fastify, × ${text(vsFastifyPipelined)} pipelined, × ${text(vsPgbench)} of pgbench`,
  );
  console.log(
    `  p99 × ${text(p99Ratio)} of fastify; CPU ${result.cpuOverPipelinedUs ?? '–'} µs over pipelined; cache on: × ${text(cachedVsFastify)} of fastify`,
  );
}

/** Prints the rest. */
export function printExtras(extras: Extras): void {
  console.log();
  for (const [what, found] of linesOf(extras)) console.log(`${what.padEnd(30)} ${found}`);
}

/** What was found besides the compared operations, one line each. */
export function linesOf({
  hot,
  import: imported,
  stream,
  logins,
  refreshMs,
  deepPage,
  audit,
  tenfold,
}: Extras): [what: string, found: string][] {
  return [
    ['get of 500 hot jobs, cache on', hot ? `× ${text(hot.spread.cachedVsFastify)} of fastify` : 'no cache'],
    ['audit of a create', auditText(audit.create)],
    ['audit of a patch', auditText(audit.patch)],
    ['page 15,000 by page 1', `× ${text(deepPage)} of the time`],
    [
      'ten times the users',
      tenfold ? `a × ${text(tenfold.a)}, b × ${text(tenfold.b)}, e × ${text(tenfold.e)} of the time` : 'not measured',
    ],
    [
      `import of ${imported.rows} rows`,
      `${imported.rps} rows/s, × ${text(imported.ratio)} of the bare INSERT (${imported.bareRps} rows/s)`,
    ],
    [
      `a body of ${stream.rows} rows`,
      `${stream.bodyMiB} MiB at ${stream.rps} rows/s: memory ${stream.before} MiB before, at most ${stream.peaks.join(', ')} MiB in each fifth of the time`,
    ],
    ['login', `${logins.rps} a second one by one (${logins.p50Ms} ms), ${logins.saturatedRps} with the pool full`],
    [
      'reads while logins fill it',
      `× ${text(logins.readsKept)} of their rate, with ${logins.underReadsRps} logins a second`,
    ],
    ['view refresh', `${refreshMs} ms`],
  ];
}

function auditText({ time, cpu, audited, unaudited }: WriteAuditCost): string {
  const middle = `${percent(time.median)}, middle half of rounds ${percent(time.lower)} to ${percent(time.upper)}`;
  return `${middle}; CPU ${percent(cpu)} (server ${audited[0]} µs against ${unaudited[0]}, PostgreSQL ${audited[1]} against ${unaudited[1]})`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function cell(value: number | undefined, width: number, places: number): string {
  return (value === undefined || Number.isNaN(value) ? '–' : value.toFixed(places)).padStart(width);
}

/** `1.02 [0.91–1.10]`. */
export function text(spread: Spread | undefined): string {
  if (!spread) return '–';
  return `${spread.median.toFixed(2)} [${spread.min.toFixed(2)}–${spread.max.toFixed(2)}]`;
}
