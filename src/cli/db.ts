import { readVariables } from '../platform/config/load-config';
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { DataFolder } from '../local-services/data-folder';
import { DATABASE_URL_ROLES, type ServiceRole, ServicesFile } from '../local-services/server-environment';
import { loadEnvironmentFile } from './command-line';

/** Runs `npm run db -- --role app`: prints the role's URL and, at a terminal with psql on PATH, opens psql. */
function main(): void {
  const { values } = parseArgs({ options: { role: { type: 'string', default: 'app' } } });
  loadEnvironmentFile();
  const urls = findUrls();
  if (!urls) return fail('No embedded PostgreSQL runs from this checkout. Start it with: npm start');
  const url = urls[values.role as ServiceRole];
  if (url === undefined) return fail(`--role must be one of ${Object.keys(urls).join(', ')}.`);
  process.stdout.write(`${url}\n`);
  if (process.stdout.isTTY && process.stdin.isTTY) openPsql(new URL(url));
}

/** Returns the URLs of the settings when DATABASE_URL is set, otherwise those of the embedded PostgreSQL. */
function findUrls(): Partial<Record<ServiceRole, string>> | undefined {
  const variables = readVariables(process.env);
  const app = variables['DATABASE_URL'];
  if (!app) return new ServicesFile(new DataFolder().resolve('services.json')).read()?.postgres;
  const others = Object.entries(DATABASE_URL_ROLES).flatMap(([name, role]) => {
    const url = variables[name];
    return url ? [[role, url] as const] : [];
  });
  return { app, ...Object.fromEntries(others) };
}

/** Opens psql. The password is passed in the environment: every user of the machine may read a command line. */
function openPsql(url: URL): void {
  const psql = spawn('psql', [], {
    stdio: 'inherit',
    env: {
      ...process.env,
      PGHOST: url.hostname,
      PGPORT: url.port,
      PGUSER: url.username,
      PGPASSWORD: decodeURIComponent(url.password),
      PGDATABASE: url.pathname.slice(1),
    },
  });
  // Ctrl-C cancels a query; psql and this process continue.
  process.on('SIGINT', () => undefined);
  psql.on('error', () => undefined);
  psql.on('exit', (code) => (process.exitCode = code ?? 1));
}

function fail(message: string): void {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}

try {
  main();
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
