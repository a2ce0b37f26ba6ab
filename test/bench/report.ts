import type { Extras } from './extras';
import { NAMES, type Operation } from './operations';
import type { OperationResult } from './result';
import { CONTENDERS } from './rounds';
import type { Spread } from './statistics';

/** Prints what all contenders did in one operation, and the ratios. */
export function print(operation: Operation, connections: number, result: OperationResult): void {
  console.log(`\n${operation} ${NAMES[operation]}, ${connections} at a time`);
  console.log('                      rps   p50 ms   p99 ms  CPU µs a request: server  PostgreSQL  client');
  for (const contender of CONTENDERS) {
    const { rps, p50Ms, p99Ms, serverCpuUs, postgresCpuUs, clientCpuUs } = result.contenders[contender] ?? {};
    if (rps === undefined || Number.isNaN(rps)) continue;
    const columns = [cell(rps, 9, 0), cell(p50Ms, 9, 2), cell(p99Ms, 9, 2), cell(serverCpuUs, 25, 0), cell(postgresCpuUs, 12, 0), cell(clientCpuUs, 8, 0)];
    console.log(`  ${contender.padEnd(16)}${columns.join('')}`);
  }
  const { vsFastify, vsPgbench, p99Ratio } = result.spread;
  console.log(
    `  product: × ${text(vsFastify)} of fastify, × ${result.vsFastifyPipelined} pipelined, × ${text(vsPgbench)} of pgbench; p99 × ${text(p99Ratio)}; CPU ${result.cpuOverPipelinedUs} µs over pipelined`,
  );
}

/** Prints the rest. */
export function printExtras({ import: imported, login, readsUnderLogins, refreshMs, deepPage, audit }: Extras): void {
  console.log(`
import of ${imported.rows} rows   ${imported.rps} rows/s, × ${imported.ratio} of the bare INSERT (${imported.bareRps} rows/s)
login                    ${login.rps} a second one by one, ${login.p50Ms} ms
reads under logins       × ${readsUnderLogins} of their rate
view refresh             ${refreshMs} ms
page 15,000 by page 1    × ${deepPage}
audit of a write         ${Math.round(audit.create * 100)} % of a create, ${Math.round(audit.patch * 100)} % of a patch`);
}

function cell(value: number | undefined, width: number, places: number): string {
  return (value === undefined || Number.isNaN(value) ? '–' : value.toFixed(places)).padStart(width);
}

function text(spread: Spread | undefined): string {
  if (!spread) return '–';
  return `${spread.median.toFixed(2)} [${spread.min.toFixed(2)}–${spread.max.toFixed(2)}]`;
}
