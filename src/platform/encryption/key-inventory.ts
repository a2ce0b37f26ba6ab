import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { RedisClients } from '../redis/redis-clients';
import { MasterKeys } from './master-keys';

/** A running process and its master keys. */
export interface ProcessKeys {
  /** A readable name of the process. */
  readonly name: string;
  readonly currentId: string;
  readonly ids: readonly string[];
}

const INVENTORY_KEY = 'encryption-key-holders';

const REPORT_INTERVAL_MS = 1_000;

/** Age of the last report after which a process counts as ended. */
const EXPIRY_SECONDS = 5;

/** Stores the report of a process with Redis' time. KEYS: the reports. ARGV: id of the process, its report. */
const REPORT = `
redis.call('HSET', KEYS[1], ARGV[1], redis.call('TIME')[1] .. ' ' .. ARGV[2])
redis.call('EXPIRE', KEYS[1], 3600)`;

/** Returns the reports of running processes and deletes expired ones. KEYS: the reports. ARGV: expiry (s). */
const LIVING = `
local now = tonumber(redis.call('TIME')[1])
local living = {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local at, report = string.match(all[i + 1], '^(%d+) (.*)$')
  if now - tonumber(at) > tonumber(ARGV[1]) then
    redis.call('HDEL', KEYS[1], all[i])
  else
    living[#living + 1] = report
  end
end
return living`;

/**
 * Reports the master keys of each process. A rotation uses a key only when all processes have it: a process without it
 * could not decrypt new data. Reports contain names of keys and processes only.
 */
@Injectable()
export class KeyInventory implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(KeyInventory.name);
  private readonly id = randomUUID();
  private readonly name = `process ${process.pid} of ${hostname()}`;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly clients: RedisClients,
    private readonly masterKeys: MasterKeys,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.reportQuietly();
    this.timer = setInterval(() => void this.reportQuietly(), REPORT_INTERVAL_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.clients.commands.hdel(INVENTORY_KEY, this.id).catch(() => 0);
  }

  /** Returns all running processes, including this one. @throws Error when Redis does not answer */
  async list(): Promise<ProcessKeys[]> {
    await this.report();
    const living = (await this.clients.commands.eval(LIVING, 1, INVENTORY_KEY, EXPIRY_SECONDS)) as string[];
    return living.map((report) => JSON.parse(report) as ProcessKeys);
  }

  private async report(): Promise<void> {
    const { currentId, ids } = this.masterKeys;
    const report: ProcessKeys = { name: this.name, currentId, ids };
    await this.clients.commands.eval(REPORT, 1, INVENTORY_KEY, this.id, JSON.stringify(report));
  }

  private async reportQuietly(): Promise<void> {
    await this.report().catch((error: Error) =>
      this.logger.warn(`the master keys of this process were not reported: ${error.message}`),
    );
  }
}
