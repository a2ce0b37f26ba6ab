import '../platform/config/load-config';
import { parseArgs } from 'node:util';
import { DataFolder } from '../local-services/data-folder';
import { loadEnvironmentFile, print } from './command-line';
import { formatLine, readLog } from './log-lines';

const SERVERS = ['api', 'worker'];

/** Lines that are printed without an id. */
const NEWEST_LINES = 50;

const USAGE = `Usage: npm run logs -- [ID]

Prints the log lines of API and worker for one ID, oldest first: the X-Request-Id of a response, or task-run-7.
Without an ID it prints the newest ${NEWEST_LINES} lines. Secrets are not in the logs: the servers write [redacted].

Exit codes: 0 lines were found, 1 none was found.`;

/** Runs `npm run logs -- ID`. Returns the exit code. */
async function main(): Promise<number> {
  const help = { type: 'boolean', short: 'h' } as const;
  const { values, positionals } = parseArgs({ options: { help }, allowPositionals: true });
  if (values.help || positionals.length > 1) {
    print(USAGE);
    return values.help ? 0 : 1;
  }
  loadEnvironmentFile();
  return printLogs(new DataFolder(), positionals[0]);
}

async function printLogs(folder: DataFolder, id: string | undefined): Promise<number> {
  const logs = await Promise.all(SERVERS.map((server) => readLog(folder.resolveLog(server), server, id)));
  const lines = logs.flat().sort((one, other) => one.time.localeCompare(other.time));
  for (const line of id === undefined ? lines.slice(-NEWEST_LINES) : lines) print(formatLine(line));
  if (lines.length > 0) return 0;
  process.stderr.write(`No line${id === undefined ? '' : ' with this id'} is in ${folder.resolve('logs')}.\n`);
  return 1;
}

main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
