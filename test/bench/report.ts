import type { WriteAuditCost } from './audit-cost';
import type { Extras } from './extras';
import { NAMES, type Operation } from './operations';
import type { PipelineCost } from './pipeline-cost';
import type { OperationResult } from './result';
import { CONTENDERS } from './rounds';
import type { Spread } from './statistics';

/**
 * Prints the results of all contenders in one operation, and the ratios: the median and [minimum–maximum] of the
 * rounds.
 */
export function print(operation: Operation, connections: number, result: OperationResult): void {
  console.log(`\n${operation} ${NAMES[operation]}, ${connections} at a time`);
  console.log('                      rps   p50 ms   p99 ms  CPU µs a request: server  PostgreSQL  Redis  client');
  for (const contender of CONTENDERS) {
    const { rps, p50Ms, p99Ms, serverCpuUs, postgresCpuUs, redisCpuUs, clientCpuUs } =
      result.contenders[contender] ?? {};
    if (rps === undefined || Number.isNaN(rps)) continue;
    const cpu = [
      formatCell(serverCpuUs, 25, 0),
      formatCell(postgresCpuUs, 12, 0),
      formatCell(redisCpuUs, 7, 0),
      formatCell(clientCpuUs, 8, 0),
    ];
    console.log(
      `  ${contender.padEnd(16)}${formatCell(rps, 9, 0)}${formatCell(p50Ms, 9, 2)}` +
        `${formatCell(p99Ms, 9, 2)}${cpu.join('')}`,
    );
  }
  const { vsFastify, vsFastifyPipelined, vsPgbench, cachedVsFastify, p99Ratio } = result.spread;
  console.log(
    `  product: × ${formatSpread(vsFastify)} of fastify, × ${formatSpread(vsFastifyPipelined)} pipelined, ` +
      `× ${formatSpread(vsPgbench)} of pgbench`,
  );
  console.log(
    `  p99 × ${formatSpread(p99Ratio)} of fastify; CPU ${result.cpuOverPipelinedUs ?? '–'} µs over pipelined; ` +
      `cache on: × ${formatSpread(cachedVsFastify)} of fastify`,
  );
}

/** Prints the further results. */
export function printExtras(extras: Extras): void {
  console.log();
  for (const [what, found] of formatLines(extras)) console.log(`${what.padEnd(30)} ${found}`);
}

/** Formats the further results, one line each. */
export function formatLines({
  hot,
  import: imported,
  stream,
  logins,
  refreshMs,
  deepPage,
  audit,
  pipeline,
  scaling: tenfold,
}: Extras): [what: string, found: string][] {
  return [
    ['get of 500 hot jobs, cache on', hot ? `× ${formatSpread(hot.spread.cachedVsFastify)} of fastify` : 'no cache'],
    ['audit of a create', formatAudit(audit.create)],
    ['audit of a patch', formatAudit(audit.patch)],
    ["pg's pipeline instead of our own", pipeline ? formatPipeline(pipeline) : 'not measured'],
    ['page 15,000 by page 1', `× ${formatSpread(deepPage)} of the time`],
    [
      'ten times the users',
      tenfold
        ? `a × ${formatSpread(tenfold.a)}, b × ${formatSpread(tenfold.b)}, e × ${formatSpread(tenfold.e)} of the time`
        : 'not measured',
    ],
    [
      `import of ${imported.rows} rows`,
      `${imported.rps} rows/s, × ${formatSpread(imported.ratio)} of the bare INSERT (${imported.bareRps} rows/s)`,
    ],
    [
      `a body of ${stream.rows} rows`,
      `${stream.bodyMiB} MiB at ${stream.rps} rows/s: memory ${stream.before} MiB before, ` +
        `at most ${stream.peaks.join(', ')} MiB in each fifth of the time`,
    ],
    ['login', `${logins.rps} a second one by one (${logins.p50Ms} ms), ${logins.saturatedRps} with the pool full`],
    [
      'reads while logins fill it',
      `× ${formatSpread(logins.readsKept)} of their rate, with ${logins.underReadsRps} logins a second`,
    ],
    ['view refresh', `${refreshMs} ms`],
  ];
}

function formatAudit({ time, cpu, audited, unaudited }: WriteAuditCost): string {
  const [lower, upper] = [formatPercent(time.lower), formatPercent(time.upper)];
  const servers = `server ${audited[0]} µs against ${unaudited[0]}`;
  const databases = `PostgreSQL ${audited[1]} against ${unaudited[1]}`;
  return (
    `${formatPercent(time.median)}, middle half of rounds ${lower} to ${upper}; ` +
    `CPU ${formatPercent(cpu)} (${servers}, ${databases})`
  );
}

function formatPipeline({ asUsed, sameStatements }: PipelineCost): string {
  return (
    `a read takes × ${formatSpread(asUsed.node)} of the CPU of Node and × ${formatSpread(asUsed.postgres)} of ` +
    `PostgreSQL's; with the same statements × ${formatSpread(sameStatements.node)} and ` +
    `× ${formatSpread(sameStatements.postgres)}`
  );
}

function formatPercent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function formatCell(value: number | undefined, width: number, places: number): string {
  return (value === undefined || Number.isNaN(value) ? '–' : value.toFixed(places)).padStart(width);
}

/** Formats a ratio as `1.02 [0.91–1.10]`. */
export function formatSpread(spread: Spread | undefined): string {
  if (!spread) return '–';
  return `${spread.median.toFixed(2)} [${spread.min.toFixed(2)}–${spread.max.toFixed(2)}]`;
}
