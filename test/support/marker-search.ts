import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Redis } from 'ioredis';
import type { TestDatabase } from './test-database';

/** Texts of a place, by the name of the place. */
export type PlaceTexts = Readonly<Record<string, Buffer | string>>;

/** Returns the names of the places that contain the marker, sorted. */
export function findMarker(marker: string, places: PlaceTexts): string[] {
  return Object.entries(places)
    .filter(([, text]) => text.includes(marker))
    .map(([name]) => name)
    .sort();
}

/** Returns all rows of each table and view of a database as text, the planner's statistics included. */
export async function readTables(db: TestDatabase): Promise<Record<string, string>> {
  const tables = await db.query<{ name: string }>(
    'superuser',
    `SELECT format('%I.%I', n.nspname, c.relname) AS name
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'm') AND (n.nspname IN ('public', 'app', 'audit', 'auth', 'archive')
       OR c.oid IN ('pg_statistic'::regclass, 'pg_statistic_ext_data'::regclass, 'pg_largeobject'::regclass))`,
  );
  const texts = await Promise.all(
    tables.map(async ({ name }) => {
      const sql = `SELECT string_agg(t::text, E'\\n') AS text FROM ${name} t`;
      const [row] = await db.query<{ text: string | null }>('superuser', sql);
      return [name, row?.text ?? ''] as const;
    }),
  );
  const statements = await db.query<{ query: string }>('superuser', 'SELECT query FROM pg_stat_statements');
  return {
    ...Object.fromEntries(texts),
    pg_stat_statements: statements.map(({ query }) => query).join('\n'),
  };
}

/** How to read the value of a key of each type. */
const READ: Readonly<Record<string, (redis: Redis, key: string) => Promise<unknown>>> = {
  string: (redis, key) => redis.get(key),
  hash: (redis, key) => redis.hgetall(key),
  list: (redis, key) => redis.lrange(key, 0, -1),
  set: (redis, key) => redis.smembers(key),
  zset: (redis, key) => redis.zrange(key, '0', '-1'),
  stream: (redis, key) => redis.xrange(key, '-', '+'),
};

/** Returns all keys and values of a Redis database as texts, by key; numbers in a name are replaced by `*`. */
export async function readRedisKeys(redis: Redis): Promise<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const key of await redis.keys('*')) {
    const value = await READ[await redis.type(key)]?.(redis, key);
    const name = `redis ${key.split(':', 3).join(':').replace(/\d+/g, '*')}`;
    values[name] = `${values[name] ?? ''}${key} ${JSON.stringify(value)}\n`;
  }
  return values;
}

/** Returns the content of all files in a folder. */
export function readFiles(folder: string): Buffer {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Buffer.concat(files.map((entry) => readIfPresent(join(entry.parentPath, entry.name))));
}

/** Returns the log of the PostgreSQL of this test run. */
export async function readServerLog(db: TestDatabase): Promise<Buffer> {
  const [row] = await db.query<{ folder: string }>('superuser', `SELECT current_setting('data_directory') AS folder`);
  return readFileSync(join(dirname(row!.folder), 'postgres.log'));
}

/** Returns the content of Gigvault's temporary files. */
export function readTemporaryFiles(): Buffer {
  const names = readdirSync(tmpdir(), { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.startsWith('gigvault-'))
    .map(({ name }) => join(tmpdir(), name));
  return Buffer.concat(names.map(readIfPresent));
}

/** Reads a file; empty when it is gone, since the services run on. */
export function readIfPresent(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    return Buffer.alloc(0);
  }
}
