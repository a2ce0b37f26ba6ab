import { exportTiles } from '../audit/export/export-tiles';
import { TileDirectory } from '../audit/export/tile-directory';
import { DataFolder, OperatorError } from '../local-services/data-folder';
import { ServicesFile } from '../local-services/server-environment';
import { readVariables } from '../platform/config/load-config';
import { withDirectConnection } from '../platform/database/driver/direct-connection';
import { describeError, loadEnvironmentFile, parseOptions, print } from './command-line';

const USAGE = `Usage: npm run audit:tiles -- DIR

Writes the audit log into DIR as the files of C2SP tlog-tiles: checkpoint, tile/<L>/<N> and tile/entries/<N>. Tools
for transparency logs read them from any web server. A further run adds what is new. Entries contain hashes, ids and
times of rows, no values. The database is that of DATABASE_MIGRATION_URL, or the embedded one while it runs.

Exit codes: 0 DIR has the whole log, 1 it does not.`;

/** Runs `npm run audit:tiles -- DIR`. Returns the exit code. */
async function main(): Promise<number> {
  const { values, positionals } = parseOptions({
    options: { help: { type: 'boolean', short: 'h' } },
    allowPositionals: true,
  });
  const [path] = positionals;
  if (values.help || path === undefined || positionals.length > 1) {
    print(USAGE);
    return values.help ? 0 : 1;
  }
  loadEnvironmentFile();
  const { size, added } = await withDirectConnection(findUrl(), (connection) =>
    exportTiles(connection, new TileDirectory(path)),
  );
  print(`${path} has ${size} entries, ${added} of them new.`);
  return 0;
}

function findUrl(): string {
  const url =
    readVariables(process.env)['DATABASE_MIGRATION_URL'] ||
    new ServicesFile(new DataFolder().resolve('services.json')).read()?.postgres?.owner;
  if (url) return url;
  throw new OperatorError('Set DATABASE_MIGRATION_URL, or start Gigvault here first (npm start).');
}

main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(`${describeError(error)}\n`);
    process.exitCode = 1;
  },
);
