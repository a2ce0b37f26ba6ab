import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NAMES, OPERATIONS, type Operation } from './operations';
import { linesOf, text } from './report';
import type { BenchResult, OperationResult } from './result';

const ROOT = join(__dirname, '..', '..');
const BEGIN = '<!-- bench: filled by `npm run bench -- --table <result>` -->';
const END = '<!-- /bench -->';

/** Writes the tables of a result between their marks into README.md and test/bench/README.md. */
export function fillReadmes(result: BenchResult): void {
  fill(join(ROOT, 'README.md'), shortTable(result));
  fill(join(__dirname, 'README.md'), [longTable(result), '', extrasTable(result)].join('\n'));
}

/** What the product comes to beside the yardstick and the limit, at concurrency 16; a line for each operation. */
export function shortTable(result: BenchResult): string {
  const rows = each(result, (operation, { vsFastify, vsPgbench, spread, contenders: { product } }) => [
    `${operation} ${NAMES[operation]}`,
    round(product?.rps),
    vsFastify.toFixed(2),
    vsPgbench?.toFixed(2) ?? '–',
    spread.cachedVsFastify?.median.toFixed(2) ?? '–',
  ]);
  return [
    machineOf(result),
    '',
    ...markdown(['operation', 'requests/s', '× hand-written', '× pgbench', 'cache on: × hand-written'], rows),
  ].join('\n');
}

function longTable(result: BenchResult): string {
  const rows = each(result, (operation, { spread, cpuUs, cpuOverPipelinedUs, contenders: { product, fastify } }) => [
    `${operation} ${NAMES[operation]}`,
    `${round(product?.rps)} (${round(fastify?.rps)})`,
    text(spread.vsFastify),
    text(spread.vsFastifyPipelined),
    text(spread.vsPgbench),
    text(spread.cachedVsFastify),
    text(spread.p99Ratio),
    `${cpuUs} (${cpuOverPipelinedUs ?? '–'})`,
  ]);
  const head = [
    'operation',
    'rps (fastify)',
    '× fastify',
    '× pipelined',
    '× pgbench',
    'cache on: × fastify',
    'p99 × fastify',
    'CPU µs (over pipelined)',
  ];
  return [machineOf(result), '', ...markdown(head, rows)].join('\n');
}

function extrasTable({ extras }: BenchResult): string {
  return extras ? markdown(['besides', 'found'], linesOf(extras)).join('\n') : '';
}

function machineOf({ machine: { cpu, cores, memoryGiB, node, postgres } }: BenchResult): string {
  return `Measured on ${cores} cores of ${cpu}, ${memoryGiB} GiB, Node ${node}, ${postgres}; clients, server and database share them. Medians of paired ratios, 16 requests at a time.`;
}

function each(result: BenchResult, row: (operation: Operation, found: OperationResult) => string[]): string[][] {
  return OPERATIONS.flatMap((operation) => {
    const found = result.operations[operation];
    return found ? [row(operation, found)] : [];
  });
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)];
}

function round(value: number | undefined): string {
  return value === undefined ? '–' : Math.round(value).toLocaleString('en');
}

function fill(file: string, content: string): void {
  const before = readFileSync(file, 'utf8');
  const [begin, end] = [before.indexOf(BEGIN), before.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${file} has no place for the table: ${BEGIN} … ${END}`);
  writeFileSync(file, `${before.slice(0, begin + BEGIN.length)}\n\n${content}\n\n${before.slice(end)}`);
  console.log(`filled: ${file}`);
}
