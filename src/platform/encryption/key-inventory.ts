import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { RedisClients } from '../redis/redis-clients';
import { MasterKeys } from './master-keys';

/** A process that lives, and the master keys it has. */
export interface ProcessKeys {
  /** For people: which process it is. */
  readonly name: string;
  readonly currentId: string;
  readonly ids: readonly string[];
}

const INVENTORY_KEY = 'encryption-key-holders';

const REPORT_INTERVAL_MS = 1_000;

/** Who was silent for longer is gone. */
const EXPIRY_SECONDS = 5;

/** Notes what a holder has, by the clock of Redis. KEYS: the holders. ARGV: its id, what it has. */
const REPORT = `
redis.call('HSET', KEYS[1], ARGV[1], redis.call('TIME')[1] .. ' ' .. ARGV[2])
redis.call('EXPIRE', KEYS[1], 3600)`;

/** Returns what the living hold, and forgets the rest. KEYS: the holders. ARGV: seconds of silence. */
const LIVING = `
local now = tonumber(redis.call('TIME')[1])
local living = {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local at, held = string.match(all[i + 1], '^(%d+) (.*)$')
  if now - tonumber(at) > tonumber(ARGV[1]) then redis.call('HDEL', KEYS[1], all[i]) else living[#living + 1] = held end
end
return living`;

/**
 * Tells which master keys each process of the installation has. A rotation uses a key only when all have it: a process
 * without it could open nothing that it wraps. Names of keys only, and of processes.
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

  /** All that live, this process included. @throws Error when Redis does not answer */
  async list(): Promise<ProcessKeys[]> {
    await this.report();
    const living = (await this.clients.commands.eval(LIVING, 1, INVENTORY_KEY, EXPIRY_SECONDS)) as string[];
    return living.map((held) => JSON.parse(held) as ProcessKeys);
  }

  private async report(): Promise<void> {
    const { currentId, ids } = this.masterKeys;
    const holder: ProcessKeys = { name: this.name, currentId, ids };
    await this.clients.commands.eval(REPORT, 1, INVENTORY_KEY, this.id, JSON.stringify(holder));
  }

  private async reportQuietly(): Promise<void> {
    await this.report().catch((error: Error) =>
      this.logger.warn(`a rotation cannot see this process: ${error.message}`),
    );
  }
}
