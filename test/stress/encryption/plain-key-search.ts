import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Redis from 'ioredis';
import type { BenchServices } from '../../bench/services';
import type { FakeKeyService } from '../../support/fake-key-service';
import type { ApiProcess } from '../api-process';
import type { Place } from './canary-encodings';

/** Places and their files. */
const PLACES: readonly (readonly [name: string, files: RegExp])[] = [
  ['WAL', /\/pg_wal\//],
  ['tables', /\/postgres\/base\//],
  ['files of Redis', /\/redis\//],
  ['logs', /\.log$/],
];

/**
 * Reads every place where a server or its services write: WAL, tables, a dump, the files of Redis and all logs.
 * @param log of the servers
 */
function readPlaces(services: BenchServices, log: string): Place[] {
  const files = readdirSync(services.folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const read = (pattern: RegExp) => Buffer.concat(files.filter((file) => pattern.test(file)).map(readFile));
  return [
    ...PLACES.map(([name, pattern]) => ({ name, bytes: read(pattern) })),
    { name: 'log of the API', bytes: Buffer.from(log) },
    ...dumpDatabase(services.buildUrl('backup')),
  ];
}

/** Reads a file; empty when it is gone, since the services run on. */
function readFile(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    return Buffer.alloc(0);
  }
}

/** Dumps the database as a backup would; nothing without pg_dump. */
function dumpDatabase(url: string): Place[] {
  const { status, stdout, stderr } = spawnSync('pg_dump', ['--format=plain', '--exclude-schema=secrets', url], {
    maxBuffer: 2 ** 30,
  });
  if (status === null) return [];
  if (status !== 0) throw new Error(`pg_dump: ${stderr.toString()}`);
  return [{ name: 'dump', bytes: stdout }];
}

const START_BYTES = 4;

/** Returns those of the texts that occur in the bytes, in one pass. Each has at least four bytes. */
export function findTexts(bytes: Buffer, texts: readonly Buffer[]): Buffer[] {
  const byStart = new Map<number, Buffer[]>();
  for (const text of texts) {
    const start = text.readInt32BE();
    byStart.set(start, [...(byStart.get(start) ?? []), text]);
  }
  const found = new Set<Buffer>();
  let last = 0;
  for (let end = 0; end < bytes.length; end++) {
    last = (last << 8) | bytes[end]!;
    const from = end - START_BYTES + 1;
    for (const text of byStart.get(last) ?? [])
      if (from >= 0 && bytes.subarray(from, from + text.length).equals(text)) found.add(text);
  }
  return [...found];
}

/** Text that Redis contains for certain. */
const MARKER = 'stored-in-redis-by-the-scenario';

/** What each place contains for certain: a text, or the wrapped keys. A search that misses it could miss a key. */
const CONTROLS: Readonly<Record<string, string>> = {
  WAL: 'wrapped keys',
  tables: 'wrapped keys',
  dump: 'wrapped keys',
  'files of Redis': MARKER,
  'log of the API': 'the master key stress cannot be used',
};

/** The result of a search; `found` and `overlooked` must be empty. */
export interface SearchResult {
  readonly dataKeys: number;
  readonly mebibytes: number;
  /** Places with a plain data key or the login of the service. */
  readonly found: readonly string[];
  /** Places in which the search did not find what is there. */
  readonly overlooked: readonly string[];
}

/** Searches every place for the data keys that the service has encrypted, in plain, and for its login. */
export async function searchEverywhere(
  api: ApiProcess,
  services: BenchServices,
  fake: FakeKeyService,
): Promise<SearchResult> {
  const redis = new Redis(api.redisUrl);
  await redis.set('marker', MARKER);
  redis.disconnect();
  await api.query('CHECKPOINT');
  const rows = await api.query<{ wrapped: string }>('SELECT wrapped_key AS wrapped FROM data_keys');
  const wrapped = rows.map((row) => Buffer.from(row.wrapped));
  const secrets = [...fake.listPlainDataKeys(), ...fake.listCredentials().map((text) => Buffer.from(text))];
  const places = readPlaces(services, api.log);
  // Pages of the WAL divide some texts, so half of them is enough.
  const isOverlooked = (name: string, bytes: Buffer) => {
    const control = CONTROLS[name];
    if (control === undefined) return false;
    return control === 'wrapped keys'
      ? findTexts(bytes, wrapped).length * 2 < wrapped.length
      : findTexts(bytes, [Buffer.from(control)]).length === 0;
  };
  return {
    dataKeys: rows.length,
    mebibytes: Math.round(places.reduce((sum, { bytes }) => sum + bytes.length, 0) / 1_048_576),
    found: places.filter(({ bytes }) => findTexts(bytes, secrets).length > 0).map(({ name }) => name),
    overlooked: places.filter(({ name, bytes }) => isOverlooked(name, bytes)).map(({ name }) => name),
  };
}
