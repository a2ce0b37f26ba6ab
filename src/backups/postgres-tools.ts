import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../launcher/cache-folder';
import { isExecutable, librariesIn, onPath, unpackPackage } from '../launcher/debian-packages';
import { BackupError } from './backup-error';

const run = promisify(execFile);
const DEBIAN = '/usr/lib/postgresql';

/** PostgreSQL's programs of one version. */
export interface PostgresTools {
  readonly folder: string;
  readonly major: number;
  /** What they need besides the system's, for LD_LIBRARY_PATH. */
  readonly libraries?: string;
}

/**
 * Finds pg_dump and pg_restore for a server of this version: on PATH, where Debian keeps them, or fetched from Debian
 * without root. Those of the server's own version come first; older ones cannot read it.
 * @throws BackupError that names every way out when there are none
 */
export async function findTools(serverMajor: number): Promise<PostgresTools> {
  const installed = (await installedTools())
    .filter(({ major }) => major >= serverMajor)
    .sort((a, b) => a.major - b.major);
  if (installed[0]?.major === serverMajor) return installed[0];
  const place = join(cacheFolder(), `postgresql-client-${serverMajor}-${process.arch}`);
  try {
    await unpackPackage(`postgresql-client-${serverMajor}`, place);
    return {
      folder: join(place, 'root', DEBIAN, String(serverMajor), 'bin'),
      major: serverMajor,
      libraries: librariesIn(place),
    };
  } catch (cause) {
    // A newer one reads the server as well.
    if (installed[0]) return installed[0];
    throw new BackupError(
      `no pg_dump of version ${serverMajor} or later was found on PATH or in ${DEBIAN}, and none could be fetched with apt: ` +
        `install it (apt install postgresql-client-${serverMajor})`,
      { cause },
    );
  }
}

/** The folders of whole servers (initdb and postgres) of at least this version, the nearest first. */
export async function findServers(major: number): Promise<PostgresTools[]> {
  const found = (await installedTools()).filter(({ folder }) =>
    ['initdb', 'postgres'].every((name) => isExecutable(join(folder, name))),
  );
  return found.filter((tools) => tools.major >= major).sort((a, b) => a.major - b.major);
}

async function installedTools(): Promise<PostgresTools[]> {
  const first = onPath(['pg_dump']);
  const debian = existsSync(DEBIAN) ? readdirSync(DEBIAN).map((version) => join(DEBIAN, version, 'bin')) : [];
  const folders = [...debian, ...(first === undefined ? [] : [dirname(first)])].filter((folder) =>
    isExecutable(join(folder, 'pg_dump')),
  );
  const tools = await Promise.all(folders.map(async (folder) => ({ folder, major: await majorOf(folder) })));
  return tools.flatMap(({ folder, major }) => (major === undefined ? [] : [{ folder, major }]));
}

/** "pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"; undefined when it does not run here. */
async function majorOf(folder: string): Promise<number | undefined> {
  try {
    const { stdout } = await run(join(folder, 'pg_dump'), ['--version']);
    const major = /\) (\d+)[. ]/.exec(stdout)?.[1];
    return major === undefined ? undefined : Number(major);
  } catch {
    return undefined;
  }
}
