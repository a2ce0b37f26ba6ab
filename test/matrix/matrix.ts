/**
 * `npm run matrix`: runs tests on other versions of Node, PostgreSQL and Redis, one cell after the other, and prints
 * a table. Exits with 1 when a cell is red. Without options: four cells, in which each version occurs once.
 *   --all                     16 cells, in which each pair of versions occurs once
 *   --node 24 --postgres 17   only the cells with these versions
 *   --redis valkey-9          each cell with this Redis or Valkey
 *   --full                    all of `npm test` instead of the tests that depend on versions
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync } from 'node:fs';
import { delimiter, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { OperatorError, findProjectRoot } from '../../src/local-services/data-folder';
import { type Cell, selectCells } from './cells';
import { installNode, installPostgres, installPostgresClient, installRedis } from './versions';

/** Programs of a cell: the environment that selects them, and Node's path. */
interface CellPrograms {
  readonly node: string;
  readonly env: NodeJS.ProcessEnv;
  readonly hasClient: boolean;
}

/** Tests that depend on versions: schema, isolation, migrations, transactions, scripts of Redis, programs. */
const TESTS = [
  'test/matrix/',
  'test/rls/',
  'test/contract/catalog\\.',
  'test/integration/(audit-triggers|migrations|partitions|pgbouncer|redis-subscription|schema|search)\\.',
  'test/integration/(signed-context|tenant-database)\\.',
  'test/e2e/(admin-tasks|auth|cache|jobs)\\.',
  'test/launcher/embedded-',
  'src/(auth/accounts|platform/mail|webhooks)/',
];

/** Tests that make backups with pg_dump and verify them with pg_restore. */
const BACKUP_TESTS = ['test/e2e/(backups|restore)\\.', 'test/integration/backup-contents\\.'];

/** Node, PostgreSQL, Redis, result and seconds; the last column needs no width. */
const COLUMN_WIDTHS = [6, 11, 10, 7, 8];

const ROOT = findProjectRoot();
const LOGS = join(ROOT, '.cache', 'matrix');

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      all: { type: 'boolean' },
      full: { type: 'boolean' },
      node: { type: 'string' },
      postgres: { type: 'string' },
      redis: { type: 'string' },
    },
  });
  mkdirSync(LOGS, { recursive: true });
  const lines: string[] = [];
  for (const cell of selectCells(values)) {
    const line = await runCell(cell, values.full === true);
    console.log(line);
    lines.push(line);
  }
  console.log(['', formatLine('Node', 'PostgreSQL', 'Redis', 'result', 'seconds', 'tests'), ...lines].join('\n'));
  if (lines.some((line) => line.includes(' RED '))) process.exitCode = 1;
}

/** Installs the versions of a cell and runs its tests; returns its line of the table. */
async function runCell(cell: Cell, isFull: boolean): Promise<string> {
  const { node, env, hasClient } = await installCell(cell);
  const tests = isFull ? [] : [...TESTS, ...(hasClient ? BACKUP_TESTS : [])];
  const patterns = isFull ? [] : ['--testPathIgnorePatterns', '/node_modules/', '/dist/'];
  const args = [join('node_modules', 'jest', 'bin', 'jest.js'), '--config', 'test/jest.config.cjs', ...tests];
  const logFile = join(LOGS, `node-${cell.node}-postgres-${cell.postgres}-${cell.redis}.log`);
  const log = createWriteStream(logFile);
  const startedAt = performance.now();
  const child = spawn(node, [...args, ...patterns], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let summary = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      log.write(chunk);
      summary = /^Tests: +(.+)$/m.exec(chunk.toString())?.[1] ?? summary;
    });
  const [code] = (await once(child, 'close')) as [number | null];
  const seconds = String(Math.round((performance.now() - startedAt) / 1000));
  log.end();
  const note = hasClient || isFull ? summary : `${summary} (backups not run: Debian has no pg_dump ${cell.postgres})`;
  const detail = code === 0 ? note : `${note}, see ${relative(ROOT, logFile)}`;
  return formatLine(cell.node, cell.postgres, cell.redis, code === 0 ? 'green' : 'RED', seconds, detail);
}

/** PATH selects Node, Redis, pg_dump and pg_restore. MATRIX_CELL lets a test check what runs. */
async function installCell(cell: Cell): Promise<CellPrograms> {
  const node = await installNode(cell.node);
  const redis = await installRedis(cell.redis);
  const client = await installPostgresClient(cell.postgres);
  const path = [node, redis, ...(client === undefined ? [] : [client]), process.env['PATH']].join(delimiter);
  const postgres = await installPostgres(cell.postgres);
  return {
    node: join(node, 'node'),
    env: { ...process.env, PATH: path, GIGVAULT_POSTGRES_PACKAGE: postgres, MATRIX_CELL: JSON.stringify(cell) },
    hasClient: client !== undefined,
  };
}

function formatLine(...columns: string[]): string {
  return columns.map((text, index) => text.padEnd(COLUMN_WIDTHS[index] ?? 0)).join(' ');
}

main().catch((error: unknown) => {
  console.error(error instanceof OperatorError ? error.message : error);
  process.exitCode = 1;
});
