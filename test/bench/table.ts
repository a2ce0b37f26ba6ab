import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NAMES, OPERATIONS, type Operation } from './operations';
import { formatLines, formatSpread } from './report';
import type { BenchResult, OperationResult } from './result';

const ROOT = join(__dirname, '..', '..');
const BEGIN = '<!-- bench: filled by `npm run bench -- --table <result>` -->';
const END = '<!-- /bench -->';

/**
 * Writes the tables of a result between their markers in README.md and test/bench/README.md.
 * @param beside a result of another Node.js, which gets a column in the short table and a table of its own in the other
 */
export function fillReadmes(result: BenchResult, beside?: BenchResult): void {
  fillMarkedSection(join(ROOT, 'README.md'), buildShortTable(result, beside));
  const tables = [buildLongTable(result), buildExtrasTable(result), ...(beside ? [buildLongTable(beside)] : [])];
  fillMarkedSection(join(__dirname, 'README.md'), tables.join('\n\n'));
}

/** Formats the product's ratios to the baseline and to the limit, at 16 connections; a line for each operation. */
export function buildShortTable(result: BenchResult, beside?: BenchResult): string {
  const rows = each(result, (operation, { vsFastify, vsPgbench, spread, contenders: { product } }) => [
    `${operation} ${NAMES[operation]}`,
    round(product?.rps),
    vsFastify.toFixed(2),
    vsPgbench?.toFixed(2) ?? '–',
    spread.cachedVsFastify?.median.toFixed(2) ?? '–',
    ...(beside ? [beside.operations[operation]?.vsFastify.toFixed(2) ?? '–'] : []),
  ]);
  const head = ['operation', 'requests/s', '× hand-written', '× pgbench', 'cache on: × hand-written'];
  const besideHead = beside ? [`Node ${beside.machine.node}: × hand-written`] : [];
  return [describeMachine(result), '', ...buildMarkdown([...head, ...besideHead], rows)].join('\n');
}

function buildLongTable(result: BenchResult): string {
  const rows = each(result, (operation, { spread, cpuUs, cpuOverPipelinedUs, contenders: { product, fastify } }) => [
    `${operation} ${NAMES[operation]}`,
    `${round(product?.rps)} (${round(fastify?.rps)})`,
    formatSpread(spread.vsFastify),
    formatSpread(spread.vsFastifyPipelined),
    formatSpread(spread.vsPgbench),
    formatSpread(spread.cachedVsFastify),
    formatSpread(spread.p99Ratio),
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
  return [describeMachine(result), '', ...buildMarkdown(head, rows)].join('\n');
}

function buildExtrasTable({ extras }: BenchResult): string {
  return extras ? buildMarkdown(['besides', 'found'], formatLines(extras)).join('\n') : '';
}

function describeMachine({ machine: { cpu, cores, memoryGiB, node, postgres } }: BenchResult): string {
  return (
    `Measured on ${cores} cores of ${cpu}, ${memoryGiB} GiB, Node ${node}, ${postgres}; ` +
    'clients, server and database share them. Medians of paired ratios, 16 requests at a time.'
  );
}

function each(result: BenchResult, row: (operation: Operation, found: OperationResult) => string[]): string[][] {
  return OPERATIONS.flatMap((operation) => {
    const found = result.operations[operation];
    return found ? [row(operation, found)] : [];
  });
}

function buildMarkdown(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)];
}

function round(value: number | undefined): string {
  return value === undefined ? '–' : Math.round(value).toLocaleString('en');
}

function fillMarkedSection(file: string, content: string): void {
  const before = readFileSync(file, 'utf8');
  const [begin, end] = [before.indexOf(BEGIN), before.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${file} has no place for the table: ${BEGIN} … ${END}`);
  writeFileSync(file, `${before.slice(0, begin + BEGIN.length)}\n\n${content}\n\n${before.slice(end)}`);
  console.log(`filled: ${file}`);
}
