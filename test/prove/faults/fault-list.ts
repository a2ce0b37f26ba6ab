import Redis from 'ioredis';
import { readdirSync, readFileSync } from 'node:fs';
import { Client } from 'pg';
import type { BenchServices } from '../../bench/services';
import type { FullDisk } from './full-disk';

/** Something that goes wrong, and is put right again. */
export interface Fault {
  readonly name: string;
  /** What works again at the end: with some faults of Redis rows can be written all the time. */
  readonly affects: 'write' | 'sign-in';
  /** It is felt some time after its beginning. */
  readonly isGradual?: boolean;
  begin(): Promise<void>;
  end(): Promise<void>;
}

/** Stops every process of PostgreSQL, as a hung disk or a paused virtual machine does. */
export function frozenPostgres(services: BenchServices): Fault {
  return frozen('PostgreSQL frozen', 'write', () => [services.postgresPid, ...childrenOf(services.postgresPid)]);
}

/** Stops Redis. */
export function frozenRedis(services: BenchServices): Fault {
  return frozen('Redis frozen', 'write', () => [services.redisPid]);
}

/** Locks the table of jobs, so that every statement on it holds its connection until its timeout. */
export function exhaustedPool(services: BenchServices): Fault {
  let client: Client | undefined;
  return {
    name: 'pool exhausted',
    affects: 'write',
    begin: async () => {
      client = new Client({ connectionString: services.url('superuser') });
      await client.connect();
      await client.query('BEGIN; LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE');
    },
    end: async () => client?.end(),
  };
}

/** Fills the file system of PostgreSQL's data. */
export function fullDisk(disk: FullDisk): Fault {
  return {
    name: 'disk full',
    affects: 'write',
    isGradual: true,
    begin: async () => disk.fill(),
    end: async () => disk.empty(),
  };
}

/** Leaves Redis no memory; its policy is to refuse writes. */
export function fullRedis(url: string): Fault {
  return {
    name: 'Redis full',
    affects: 'sign-in',
    begin: () => command(url, (redis) => redis.config('SET', 'maxmemory', '1mb')),
    end: () => command(url, (redis) => redis.config('SET', 'maxmemory', '0')),
  };
}

/** Makes Redis the replica of a server that is not there, as a failover that went wrong does. */
export function readOnlyRedis(url: string): Fault {
  return {
    name: 'Redis read-only',
    affects: 'sign-in',
    begin: () => command(url, (redis) => redis.replicaof('127.0.0.1', 1)),
    end: () => command(url, (redis) => redis.replicaof('NO', 'ONE')),
  };
}

/** Kills PostgreSQL with SIGKILL; it is started again when the fault ends. */
export function killedPostgres(services: BenchServices): Fault {
  return {
    name: 'PostgreSQL killed',
    affects: 'write',
    begin: async () => void process.kill(services.postgresPid, 'SIGKILL'),
    end: () => services.restartPostgres(),
  };
}

function frozen(name: string, affects: Fault['affects'], pids: () => readonly number[]): Fault {
  let stopped: readonly number[] = [];
  return {
    name,
    affects,
    begin: async () => {
      stopped = pids();
      for (const pid of stopped) process.kill(pid, 'SIGSTOP');
    },
    end: async () => {
      for (const pid of stopped) process.kill(pid, 'SIGCONT');
    },
  };
}

async function command(url: string, send: (redis: Redis) => Promise<unknown>): Promise<void> {
  const redis = new Redis(url);
  try {
    await send(redis);
  } finally {
    redis.disconnect();
  }
}

/** @see man 5 proc: the name in field 2 may hold spaces; field 4 is the parent */
function childrenOf(parent: number): number[] {
  const parentOf = (pid: number): number => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    } catch {
      return NaN;
    }
  };
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && parentOf(pid) === parent);
}
