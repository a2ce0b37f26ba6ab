import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { RedisClients } from '../redis/redis-clients';
import type { DataKey } from './data-keys';

/** Users whose data key was destroyed, for the memories of all processes. */
const DESTROYED_CHANNEL = 'data-keys-destroyed';

/** While this process hears of destroyed keys, an opened one is kept for so long. */
const KEPT_MS = 60_000;

/** While it does not, a destroyed key must be gone by itself, within a second of its end. */
const KEPT_UNSUBSCRIBED_MS = 900;

/** More users are not busy in one minute; the oldest make room. */
const MAX_KEPT = 10_000;

interface Entry {
  readonly dataKey: DataKey;
  readonly since: number;
}

/** The opened data keys of this process, and how it is told to forget one that was destroyed elsewhere. */
@Injectable()
export class DataKeyCache implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(DataKeyCache.name);
  private readonly entries = new Map<string, Entry>();
  private readonly current = new Map<number | null, string>();
  /** Counts what was forgotten, so that a key read before its end is not kept after it. */
  private removedIds = 0;
  private isListening = false;

  constructor(private readonly clients: RedisClients) {}

  /** Begins to hear of destroyed keys. */
  onModuleInit(): void {
    const { subscriber } = this.clients;
    subscriber.on('message', this.onMessage);
    subscriber.on('close', this.clear);
    subscriber.subscribe(DESTROYED_CHANNEL).then(
      () => (this.isListening = true),
      (error: Error) =>
        this.logger.warn(`destroyed data keys are not heard of, only noticed within a second: ${error.message}`),
    );
  }

  onApplicationShutdown(): void {
    const { subscriber } = this.clients;
    subscriber.off('message', this.onMessage);
    subscriber.off('close', this.clear);
    this.clear();
  }

  /** The key of that id, if it is remembered. */
  byId(keyId: string): DataKey | undefined {
    const entry = this.entries.get(keyId);
    if (!entry) return undefined;
    const keptMs = this.isListening && this.clients.subscriber.status === 'ready' ? KEPT_MS : KEPT_UNSUBSCRIBED_MS;
    if (Date.now() - entry.since < keptMs) return entry.dataKey;
    this.drop(entry.dataKey);
    return undefined;
  }

  /** The key that seals for this user, if it is remembered. */
  ofUser(userId: number | null): DataKey | undefined {
    return this.byId(this.current.get(userId) ?? '');
  }

  /** Remembers and returns what `load` finds, unless a key was destroyed meanwhile: it could be this one. */
  async set(load: () => Promise<DataKey>): Promise<DataKey> {
    const { removedIds: forgotten } = this;
    const since = Date.now();
    const dataKey = await load();
    if (forgotten !== this.removedIds) return dataKey;
    this.entries.set(dataKey.keyId, { dataKey, since });
    this.current.set(dataKey.userId, dataKey.keyId);
    if (this.entries.size > MAX_KEPT) this.drop(this.entries.values().next().value!.dataKey);
    return dataKey;
  }

  /** Forgets the key of a user here at once and has all processes do so; without Redis they notice within a second. */
  async remove(userId: number): Promise<void> {
    this.removeLocally(userId);
    await this.clients.commands.publish(DESTROYED_CHANNEL, String(userId)).catch((error: Error) => {
      this.logger.warn(`other processes were not told of a destroyed data key: ${error.message}`);
    });
  }

  private removeLocally(userId: number): void {
    this.removedIds += 1;
    const entry = this.entries.get(this.current.get(userId) ?? '');
    if (entry) this.drop(entry.dataKey);
  }

  private drop({ keyId, userId }: DataKey): void {
    this.entries.delete(keyId);
    if (this.current.get(userId) === keyId) this.current.delete(userId);
  }

  private readonly onMessage = (channel: string, userId: string): void => {
    if (channel === DESTROYED_CHANNEL) this.removeLocally(Number(userId));
  };

  /** What was published while the connection was gone is not heard of any more. */
  private readonly clear = (): void => {
    this.removedIds += 1;
    this.entries.clear();
    this.current.clear();
  };
}
