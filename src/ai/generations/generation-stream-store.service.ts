import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { z } from 'zod';
import { currentUserId } from '../../platform/http/access/access';
import { RedisClients, RedisSubscription } from '../../platform/redis/redis-clients';
import { buildErasureMark, buildTenantKey } from '../../platform/redis/tenant-keys';
import { ChunkBuffer, type Chunk } from './chunk-buffer';

/** Retention in Redis for readers that reconnect; the database keeps the text. */
const RETENTION_SECONDS = 3_600;

/** Interval for batching chunks into one write. */
const BATCH_MS = 40;

/** Minimum interval between warnings: every chunk fails the same way while Redis is unavailable. */
const WARNING_INTERVAL_MS = 10_000;

/** Channel on which every process hears which generation to cancel. */
const CANCEL_CHANNEL = 'ai:cancel';

/**
 * Stores and publishes an entry unless its tenant was erased meanwhile.
 * KEYS: stream, mark of the erasure. ARGV: entry id, entry, lifetime (s) or 0 to keep the current one.
 */
const STORE_ENTRY = `
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('XADD', KEYS[1], ARGV[1], 'entry', ARGV[2])
if ARGV[3] ~= '0' then redis.call('EXPIRE', KEYS[1], ARGV[3]) end
redis.call('PUBLISH', KEYS[1], ARGV[2])
return 1`;

/** Stream entry: chunks, or the end. */
const entrySchema = z.object({ chunks: z.array(z.object({ seq: z.number(), text: z.string() })), isLast: z.boolean() });

type Entry = Readonly<z.infer<typeof entrySchema>>;

/**
 * Shares the texts of generations between processes over Redis: one stream per generation, numbered by its chunks, and
 * one channel for new entries. A stream belongs to the signed-in user. Writers never wait for Redis. While Redis is
 * unavailable, only the writing process can show an unfinished text.
 */
@Injectable()
export class GenerationStreamStoreService implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(GenerationStreamStoreService.name);
  private readonly buffersByKey = new Map<string, Set<ChunkBuffer>>();
  private warnedAt = -Infinity;
  private cancelListener: (generationId: number) => void = () => undefined;

  private readonly subscription: RedisSubscription;

  constructor(private readonly redis: RedisClients) {
    this.subscription = new RedisSubscription(redis, {
      onMessage: (message, channel) => this.onMessage(message, channel),
      impact: 'generations of other processes cannot be followed or cancelled',
    });
  }

  onModuleInit(): void {
    this.subscription.open(CANCEL_CHANNEL);
  }

  onApplicationShutdown(): void {
    this.subscription.close();
  }

  /** Asks the process that runs the generation to cancel it. */
  async publishCancel(generationId: number): Promise<void> {
    await this.redis.commands
      .publish(CANCEL_CHANNEL, String(generationId))
      .catch((error: unknown) => this.warnOccasionally(error));
  }

  /** Registers the listener for cancel requests. */
  onCancel(listener: (generationId: number) => void): void {
    this.cancelListener = listener;
  }

  /** Creates a writer that stores a generation's chunks in batches. */
  createWriter(generationId: number): GenerationStreamWriter {
    const userId = currentUserId();
    return new GenerationStreamWriter((entry) => this.store(userId, generationId, entry));
  }

  /** Yields a generation's chunks after `after`, stored and new ones, and null after each `silenceMs` without one. */
  async *follow(generationId: number, after: number, silenceMs: number): AsyncGenerator<Chunk | null> {
    const key = buildKey(generationId);
    const buffer = new ChunkBuffer(after);
    await this.subscribe(key, buffer);
    try {
      // Read after subscribing: entries may arrive twice, and the buffer ignores duplicates. The next id after that of
      // the chunk is the end's; an exclusive start needs Redis 6.2.
      const stored = await this.redis.commands.xrange(key, `${after}-1`, '+').catch(() => []);
      for (const [, fields] of stored) appendEntry(parseEntry(fields[1]), buffer);
      yield* buffer.follow(after, silenceMs);
    } finally {
      await this.unsubscribe(key, buffer);
    }
  }

  /** Returns whether chunks are stored; false when they have expired, and without Redis. */
  async hasChunks(generationId: number): Promise<boolean> {
    return (await this.redis.commands.exists(buildKey(generationId)).catch(() => 0)) > 0;
  }

  /** Stores and publishes an entry. Never throws: it runs in timers. */
  private store(userId: number, generationId: number, entry: Entry): void {
    const keys = [buildKey(generationId, userId), buildErasureMark(userId)];
    const text = JSON.stringify(entry);
    // The entry id is the sequence number of its newest chunk; the end follows the last one.
    const lastSeq = entry.chunks.at(-1)?.seq;
    const id = lastSeq === undefined ? '*' : `${lastSeq}-${entry.isLast ? 1 : 0}`;
    const seconds = entry.isLast || entry.chunks[0]?.seq === 1 ? RETENTION_SECONDS : 0;
    try {
      this.redis.commands
        .eval(STORE_ENTRY, keys.length, ...keys, id, text, seconds)
        .catch((error: unknown) => this.warnOccasionally(error));
    } catch (error) {
      this.warnOccasionally(error);
    }
  }

  private async subscribe(key: string, buffer: ChunkBuffer): Promise<void> {
    const buffers = this.buffersByKey.get(key) ?? new Set();
    this.buffersByKey.set(key, buffers.add(buffer));
    await this.subscription.add(key);
  }

  private async unsubscribe(key: string, buffer: ChunkBuffer): Promise<void> {
    const buffers = this.buffersByKey.get(key);
    buffers?.delete(buffer);
    if (buffers?.size !== 0) return;
    this.buffersByKey.delete(key);
    await this.subscription.remove(key);
  }

  private onMessage(message: string, channel: string): void {
    if (channel === CANCEL_CHANNEL) this.cancelListener(Number(message));
    for (const buffer of this.buffersByKey.get(channel) ?? []) appendEntry(parseEntry(message), buffer);
  }

  private warnOccasionally(error: unknown): void {
    if (performance.now() - this.warnedAt < WARNING_INTERVAL_MS) return;
    this.warnedAt = performance.now();
    this.logger.warn(
      `generation chunks are not stored in Redis: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** Batches the chunks of one generation for the stream. */
export class GenerationStreamWriter {
  private pendingChunks: Chunk[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly store: (entry: Entry) => void) {}

  append(chunk: Chunk): void {
    this.pendingChunks.push(chunk);
    this.timer ??= setTimeout(() => this.flush(), BATCH_MS);
  }

  /** Stores the remaining chunks and the end. */
  finish(): void {
    this.flush(true);
  }

  /** Stores the remaining chunks now. */
  flush(isLast = false): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.pendingChunks.length > 0 || isLast) this.store({ chunks: this.pendingChunks, isLast });
    this.pendingChunks = [];
  }
}

function buildKey(generationId: number, userId = currentUserId()): string {
  return buildTenantKey(userId, `ai:generation:${generationId}`);
}

/** Parses an entry; an invalid one is empty. */
function parseEntry(text: string | undefined): Entry {
  try {
    return entrySchema.parse(JSON.parse(text ?? ''));
  } catch {
    return { chunks: [], isLast: false };
  }
}

function appendEntry({ chunks, isLast }: Entry, buffer: ChunkBuffer): void {
  for (const { seq, text } of chunks) buffer.append(seq, text);
  if (isLast) buffer.close();
}
