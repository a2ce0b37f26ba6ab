import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { z } from 'zod';
import { RedisClients } from '../platform/redis/redis-clients';
import { PieceBuffer, type Piece } from './piece-buffer';

/** Redis keeps a text so long for those who lost the line; the database keeps it for good. */
const KEPT_SECONDS = 3_600;

/** Pieces that come close together are stored together: a hundred small writes a second a stream serve nobody. */
const GATHER_MS = 40;

/** A Redis that is away fails every piece alike; one line in so long is enough. */
const WARNING_INTERVAL_MS = 10_000;

/** The channel on which every process hears whom to cancel. */
const CANCEL = 'ai:cancel';

/** An entry of the stream: pieces, or the end. */
const ENTRY = z.object({ pieces: z.array(z.object({ seq: z.number(), text: z.string() })), over: z.boolean() });

type Entry = Readonly<z.infer<typeof ENTRY>>;

/**
 * Carries the texts of generations between processes, over Redis: a stream a generation, numbered by its pieces, and a
 * channel that tells of news. Whoever writes never waits for it; without Redis only the writing process can show a text
 * before it is done.
 */
@Injectable()
export class GenerationFeed implements OnModuleInit {
  private readonly logger = new Logger(GenerationFeed.name);
  private readonly readers = new Map<string, Set<PieceBuffer>>();
  private warnedAt = -Infinity;
  private onCancel: (generationId: number) => void = () => undefined;

  constructor(private readonly redis: RedisClients) {}

  onModuleInit(): void {
    this.redis.subscriber.on('message', (channel: string, message: string) => {
      if (channel === CANCEL) this.onCancel(Number(message));
      for (const buffer of this.readers.get(channel) ?? []) pour(toEntry(message), buffer);
    });
    this.redis.subscriber.subscribe(CANCEL).catch((error: unknown) => this.note(error));
  }

  /** Asks the process that writes the generation, whichever it is, to end it. */
  async cancel(generationId: number): Promise<void> {
    await this.redis.commands.publish(CANCEL, String(generationId)).catch((error: unknown) => this.note(error));
  }

  /** Sets who is told of wishes to cancel. */
  hearCancel(listener: (generationId: number) => void): void {
    this.onCancel = listener;
  }

  /** Returns what stores a generation's pieces as they come, gathered. */
  writer(generationId: number): FeedWriter {
    return new FeedWriter((entry) => this.store(generationId, entry));
  }

  /** Yields a generation's pieces behind `after`, those it will still get included; null in every silence. */
  async *follow(generationId: number, after: number, silenceMs: number): AsyncGenerator<Piece | null> {
    const key = keyOf(generationId);
    const buffer = new PieceBuffer(after);
    await this.subscribe(key, buffer);
    try {
      // After the subscription: what falls between the two comes twice and counts once.
      const stored = await this.redis.commands.xrange(key, `(${after}-0`, '+').catch(() => []);
      for (const [, fields] of stored) pour(toEntry(fields[1]), buffer);
      yield* buffer.follow(after, silenceMs);
    } finally {
      await this.unsubscribe(key, buffer);
    }
  }

  /** Returns the pieces behind `after` of a generation that is over; empty when they are kept no more. */
  async pieces(generationId: number, after: number): Promise<Piece[]> {
    const stored = await this.redis.commands.xrange(keyOf(generationId), `(${after}-0`, '+').catch(() => []);
    return stored.flatMap(([, fields]) => toEntry(fields[1]).pieces).filter(({ seq }) => seq > after);
  }

  /** Never throws: it runs in timers. */
  private store(generationId: number, entry: Entry): void {
    const key = keyOf(generationId);
    const text = JSON.stringify(entry);
    // An entry is numbered by its newest piece; the end comes after the last.
    const id = entry.pieces.at(-1)?.seq;
    try {
      const commands = this.redis.commands.pipeline();
      commands.xadd(key, id === undefined ? '*' : `${id}-${entry.over ? 1 : 0}`, 'entry', text);
      if (entry.over || entry.pieces[0]?.seq === 1) commands.expire(key, KEPT_SECONDS);
      commands.publish(key, text);
      commands.exec().catch((error: unknown) => this.note(error));
    } catch (error) {
      this.note(error);
    }
  }

  private async subscribe(key: string, buffer: PieceBuffer): Promise<void> {
    const buffers = this.readers.get(key) ?? new Set();
    this.readers.set(key, buffers.add(buffer));
    await this.redis.subscriber.subscribe(key);
  }

  private async unsubscribe(key: string, buffer: PieceBuffer): Promise<void> {
    const buffers = this.readers.get(key);
    buffers?.delete(buffer);
    if (buffers?.size !== 0) return;
    this.readers.delete(key);
    await this.redis.subscriber.unsubscribe(key).catch(() => undefined);
  }

  private note(error: unknown): void {
    if (performance.now() - this.warnedAt < WARNING_INTERVAL_MS) return;
    this.warnedAt = performance.now();
    this.logger.warn(
      `a text is not stored for those who lose the line: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** Gathers the pieces of one generation for the feed. */
export class FeedWriter {
  private gathered: Piece[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly store: (entry: Entry) => void) {}

  add(piece: Piece): void {
    this.gathered.push(piece);
    this.timer ??= setTimeout(() => this.flush(false), GATHER_MS);
  }

  /** Stores what is left, and the end. */
  end(): void {
    this.flush(true);
  }

  private flush(over: boolean): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.gathered.length > 0 || over) this.store({ pieces: this.gathered, over });
    this.gathered = [];
  }
}

function keyOf(generationId: number): string {
  return `ai:generation:${generationId}`;
}

/** Reads an entry; one that is not ours holds nothing. */
function toEntry(text: string | undefined): Entry {
  try {
    return ENTRY.parse(JSON.parse(text ?? ''));
  } catch {
    return { pieces: [], over: false };
  }
}

function pour({ pieces, over }: Entry, buffer: PieceBuffer): void {
  for (const { seq, text } of pieces) buffer.add(seq, text);
  if (over) buffer.close();
}
