import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { z } from 'zod';
import { RedisClients } from '../../platform/redis/redis-clients';
import { ChunkBuffer, type Chunk } from './chunk-buffer';

/** Redis keeps a text so long for those who lost the line; the database keeps it for good. */
const RETENTION_SECONDS = 3_600;

/** Pieces that come close together are stored together: a hundred small writes a second a stream serve nobody. */
const BATCH_MS = 40;

/** A Redis that is away fails every piece alike; one line in so long is enough. */
const WARNING_INTERVAL_MS = 10_000;

/** The channel on which every process hears whom to cancel. */
const CANCEL_CHANNEL = 'ai:cancel';

/** An entry of the stream: chunks, or the end. */
const entrySchema = z.object({ chunks: z.array(z.object({ seq: z.number(), text: z.string() })), isLast: z.boolean() });

type Entry = Readonly<z.infer<typeof entrySchema>>;

/**
 * Carries the texts of generations between processes, over Redis: a stream a generation, numbered by its chunks, and a
 * channel that tells of news. Whoever writes never waits for it; without Redis only the writing process can show a text
 * before it is done.
 */
@Injectable()
export class GenerationStreamStoreService implements OnModuleInit {
  private readonly logger = new Logger(GenerationStreamStoreService.name);
  private readonly buffersByKey = new Map<string, Set<ChunkBuffer>>();
  private warnedAt = -Infinity;
  private cancelListener: (generationId: number) => void = () => undefined;

  constructor(private readonly redis: RedisClients) {}

  onModuleInit(): void {
    this.redis.subscriber.on('message', (channel: string, message: string) => {
      if (channel === CANCEL_CHANNEL) this.cancelListener(Number(message));
      for (const buffer of this.buffersByKey.get(channel) ?? []) appendEntry(parseEntry(message), buffer);
    });
    this.redis.subscriber.subscribe(CANCEL_CHANNEL).catch((error: unknown) => this.warnOccasionally(error));
  }

  /** Asks the process that writes the generation, whichever it is, to end it. */
  async publishCancel(generationId: number): Promise<void> {
    await this.redis.commands
      .publish(CANCEL_CHANNEL, String(generationId))
      .catch((error: unknown) => this.warnOccasionally(error));
  }

  /** Sets who is told of wishes to cancel. */
  onCancel(listener: (generationId: number) => void): void {
    this.cancelListener = listener;
  }

  /** Returns what stores a generation's chunks as they come, gathered. */
  createWriter(generationId: number): GenerationStreamWriter {
    return new GenerationStreamWriter((entry) => this.store(generationId, entry));
  }

  /** Yields a generation's chunks behind `after`, those it will still get included; null in every silence. */
  async *follow(generationId: number, after: number, silenceMs: number): AsyncGenerator<Chunk | null> {
    const key = buildKey(generationId);
    const buffer = new ChunkBuffer(after);
    await this.subscribe(key, buffer);
    try {
      // After the subscription: what falls between the two comes twice and counts once.
      const stored = await this.redis.commands.xrange(key, `(${after}-0`, '+').catch(() => []);
      for (const [, fields] of stored) appendEntry(parseEntry(fields[1]), buffer);
      yield* buffer.follow(after, silenceMs);
    } finally {
      await this.unsubscribe(key, buffer);
    }
  }

  /** Returns the chunks behind `after` of a generation that is over; empty when they are kept no more. */
  async readChunks(generationId: number, after: number): Promise<Chunk[]> {
    const stored = await this.redis.commands.xrange(buildKey(generationId), `(${after}-0`, '+').catch(() => []);
    return stored.flatMap(([, fields]) => parseEntry(fields[1]).chunks).filter(({ seq }) => seq > after);
  }

  /** Never throws: it runs in timers. */
  private store(generationId: number, entry: Entry): void {
    const key = buildKey(generationId);
    const text = JSON.stringify(entry);
    // An entry is numbered by its newest piece; the end comes after the last.
    const id = entry.chunks.at(-1)?.seq;
    try {
      const commands = this.redis.commands.pipeline();
      commands.xadd(key, id === undefined ? '*' : `${id}-${entry.isLast ? 1 : 0}`, 'entry', text);
      if (entry.isLast || entry.chunks[0]?.seq === 1) commands.expire(key, RETENTION_SECONDS);
      commands.publish(key, text);
      commands.exec().catch((error: unknown) => this.warnOccasionally(error));
    } catch (error) {
      this.warnOccasionally(error);
    }
  }

  private async subscribe(key: string, buffer: ChunkBuffer): Promise<void> {
    const buffers = this.buffersByKey.get(key) ?? new Set();
    this.buffersByKey.set(key, buffers.add(buffer));
    await this.redis.subscriber.subscribe(key);
  }

  private async unsubscribe(key: string, buffer: ChunkBuffer): Promise<void> {
    const buffers = this.buffersByKey.get(key);
    buffers?.delete(buffer);
    if (buffers?.size !== 0) return;
    this.buffersByKey.delete(key);
    await this.redis.subscriber.unsubscribe(key).catch(() => undefined);
  }

  private warnOccasionally(error: unknown): void {
    if (performance.now() - this.warnedAt < WARNING_INTERVAL_MS) return;
    this.warnedAt = performance.now();
    this.logger.warn(
      `a text is not stored for those who lose the line: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** Gathers the chunks of one generation for the feed. */
export class GenerationStreamWriter {
  private pendingChunks: Chunk[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly store: (entry: Entry) => void) {}

  append(chunk: Chunk): void {
    this.pendingChunks.push(chunk);
    this.timer ??= setTimeout(() => this.flush(false), BATCH_MS);
  }

  /** Stores what is left, and the end. */
  finish(): void {
    this.flush(true);
  }

  private flush(isLast: boolean): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.pendingChunks.length > 0 || isLast) this.store({ chunks: this.pendingChunks, isLast });
    this.pendingChunks = [];
  }
}

function buildKey(generationId: number): string {
  return `ai:generation:${generationId}`;
}

/** Reads an entry; one that is not ours holds nothing. */
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
