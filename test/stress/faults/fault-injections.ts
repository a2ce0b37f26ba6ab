import Redis from 'ioredis';
import { Client } from 'pg';
import type { BenchServices } from '../../bench/services';
import { listChildren } from '../../support/postgres-pair';
import type { FullDisk } from './full-disk';

/** A fault and how to end it. */
export interface InjectedFault {
  readonly name: string;
  /** What must work again at the end: during some faults of Redis rows can be written all the time. */
  readonly affects: 'write' | 'sign-in';
  /** The fault takes effect some time after its beginning. */
  readonly isGradual?: boolean;
  begin(): Promise<void>;
  end(): Promise<void>;
}

/** Stops every process of PostgreSQL, like a hung disk or a paused virtual machine. */
export function freezePostgres(services: BenchServices): InjectedFault {
  return freezeProcesses('PostgreSQL frozen', 'write', () => [
    services.postgresPid,
    ...listChildren(services.postgresPid),
  ]);
}

/** Stops Redis. */
export function freezeRedis(services: BenchServices): InjectedFault {
  return freezeProcesses('Redis frozen', 'write', () => [services.redisPid]);
}

/** Locks the table of jobs, so that every statement on it keeps its connection until its timeout. */
export function exhaustPool(services: BenchServices): InjectedFault {
  let client: Client | undefined;
  return {
    name: 'pool exhausted',
    affects: 'write',
    begin: async () => {
      client = new Client({ connectionString: services.buildUrl('superuser') });
      await client.connect();
      await client.query('BEGIN; LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE');
    },
    end: async () => client?.end(),
  };
}

/** Fills the file system of PostgreSQL's data. */
export function fillDisk(disk: FullDisk): InjectedFault {
  return {
    name: 'disk full',
    affects: 'write',
    isGradual: true,
    begin: async () => disk.fill(),
    end: async () => disk.empty(),
  };
}

/** Leaves Redis no memory; its policy is to refuse writes. */
export function fillRedis(url: string): InjectedFault {
  return {
    name: 'Redis full',
    affects: 'sign-in',
    begin: () => sendCommand(url, (redis) => redis.config('SET', 'maxmemory', '1mb')),
    end: () => sendCommand(url, (redis) => redis.config('SET', 'maxmemory', '0')),
  };
}

/** Makes Redis the replica of a missing server, like a failed failover. */
export function makeRedisReadOnly(url: string): InjectedFault {
  return {
    name: 'Redis read-only',
    affects: 'sign-in',
    begin: () => sendCommand(url, (redis) => redis.replicaof('127.0.0.1', 1)),
    end: () => sendCommand(url, (redis) => redis.replicaof('NO', 'ONE')),
  };
}

/** Kills PostgreSQL with SIGKILL; it is restarted when the fault ends. */
export function killPostgres(services: BenchServices): InjectedFault {
  return {
    name: 'PostgreSQL killed',
    affects: 'write',
    begin: async () => void process.kill(services.postgresPid, 'SIGKILL'),
    end: () => services.restartPostgres(),
  };
}

function freezeProcesses(
  name: string,
  affects: InjectedFault['affects'],
  pids: () => readonly number[],
): InjectedFault {
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

async function sendCommand(url: string, send: (redis: Redis) => Promise<unknown>): Promise<void> {
  const redis = new Redis(url);
  try {
    await send(redis);
  } finally {
    redis.disconnect();
  }
}
