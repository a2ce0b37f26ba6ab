import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { currentContext, runInContext } from '../platform/context/request-context';
import { GenerationDto } from './dto/generation.dto';
import { GenerationFeed } from './generation-feed.service';
import { GenerationRuns } from './generation-runs.service';
import { isOver } from './generation-values';
import { Generations } from './generations.service';
import type { LiveRun } from './live-run';
import type { Piece } from './piece-buffer';

/** A silent line is cut by proxies; a comment keeps it open, and is the moment to look whether the writer still lives. */
const SILENCE_MS = 5_000;

/** How often the row of a text that is complete is looked at, until its end is booked. */
const BOOKING_MS = 500;

/** How often is too often: the sweeper settles within a minute. */
const BOOKING_LOOKS = 240;

/**
 * Shows generations as server-sent events: `delta` with an id for each piece, and at the end `done` with the generation
 * as GET shows it. Reading is not writing: any number of readers may come, leave and come again, on any process.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
@Injectable()
export class GenerationStream {
  constructor(
    private readonly generations: Generations,
    private readonly runs: GenerationRuns,
    private readonly feed: GenerationFeed,
  ) {}

  /**
   * Returns the events behind `after`, the id of the last one the reader has (0: none). When the pieces of a text that is
   * over are kept no more, only `done` is left, which holds it all.
   * @throws AppError `ai.generation_not_found` before the first event
   */
  async open(id: number, after: number): Promise<AsyncGenerator<string>> {
    await this.generations.get(id);
    // The generator runs when its reader asks for more, outside of the request that opened it.
    const context = { ...currentContext()!, unit: undefined };
    return inContext(this.events(id, after), (work) => runInContext(context, work));
  }

  private async *events(id: number, after: number): AsyncGenerator<string> {
    const run = this.runs.find(id);
    let last = after;
    yield ': the text comes piece by piece\n\n';
    for await (const piece of this.piecesOf(id, after, run)) {
      if (piece === null) {
        yield ': still writing\n\n';
        continue;
      }
      last = piece.seq;
      yield frame('delta', last, { text: piece.text });
    }
    let generation = run?.written ? GenerationDto.from(run.written) : await this.generations.get(id);
    for (let look = 0; look < BOOKING_LOOKS && !isOver(generation.status); look += 1) {
      await sleep(BOOKING_MS, undefined, { ref: false });
      yield ': being booked\n\n';
      generation = await this.generations.get(id);
    }
    yield frame('done', last + 1, generation);
  }

  private async *piecesOf(id: number, after: number, run: LiveRun | undefined): AsyncGenerator<Piece | null> {
    if (run) {
      yield* run.pieces.follow(after, SILENCE_MS);
      return;
    }
    if (isOver((await this.generations.get(id)).status)) {
      yield* await this.feed.pieces(id, after);
      return;
    }
    for await (const piece of this.feed.follow(id, after, SILENCE_MS)) {
      yield piece;
      if (piece === null && isOver((await this.generations.get(id)).status)) return;
    }
  }
}

function frame(event: string, id: number, data: unknown): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Gives a generator the context it was made in, at every step. */
async function* inContext<T>(source: AsyncGenerator<T>, enter: <R>(work: () => R) => R): AsyncGenerator<T> {
  try {
    for (;;) {
      const next = await enter(() => source.next());
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await enter(() => source.return(undefined));
  }
}
