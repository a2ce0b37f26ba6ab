import type { z } from 'zod';

/** A GraphQL operation and the shape its answer must have; whatever else an answer holds is left out. */
export interface UpworkDocument<Schema extends z.ZodType> {
  readonly name: string;
  readonly text: string;
  /** Of the answer's `data`. */
  readonly data: Schema;
}
