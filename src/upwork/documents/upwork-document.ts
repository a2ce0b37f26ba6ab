import { z } from 'zod';
import { isCurrency } from '../../platform/http/validation/money';

/** GraphQL operation and the schema of its answer; unknown fields are dropped. */
export interface UpworkDocument<Schema extends z.ZodType> {
  readonly name: string;
  readonly text: string;
  /** Schema of `data` in the answer. */
  readonly data: Schema;
}

/** Answer to a document. */
export interface UpworkAnswer<Data> {
  readonly data: Data;
  /** True when Upwork could not read a part of the data. */
  readonly isPartial: boolean;
  /** True when a later call can return what is missing; a missing permission stays. */
  readonly isWorthRepeating: boolean;
  /** What the API key may not read. */
  readonly missingPermissions: readonly string[];
}

/** Defines a document; its name is that of its operation. */
export function defineDocument<Schema extends z.ZodType>(
  name: string,
  text: string,
  data: Schema,
): UpworkDocument<Schema> {
  return { name, text, data };
}

/**
 * Reads a part without which the node is still of use: null when it is absent or unreadable. Upwork omits also what its
 * schema requires.
 */
export function optional<Part extends z.ZodType>(part: Part) {
  return part.nullish().catch(null);
}

/** Id used for later lookups; characters that no column stores are rejected. */
export const id = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^\p{C}\s]+$/u);

/** Text without NUL and surrogates, which PostgreSQL cannot store. */
export const requiredText = z.string().transform((value) => value.replace(/\0|\p{Surrogate}/gu, ''));

/** Text that Upwork may omit. */
export const text = optional(requiredText);

/** Number in the range in which JSON is exact; the import of jobs rejects others. */
const exactNumber = z.number().min(Number.MIN_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER);

/** Number that Upwork may omit. */
export const number = optional(exactNumber);

/** Flag that Upwork may omit. */
export const flag = optional(z.boolean());

/** The end of the year 9999. */
const MAX_INSTANT_MS = 253_402_300_799_999;

/** Instant since 1970, as milliseconds or in ISO 8601 with any offset: Upwork uses both forms. */
export const instant = z.string().transform((value, context) => {
  const milliseconds = /^\d{1,15}$/.test(value) ? Number(value) : Date.parse(value);
  if (milliseconds >= 0 && milliseconds <= MAX_INSTANT_MS) return new Date(milliseconds);
  context.addIssue({ code: 'custom', message: 'not an instant' });
  return z.NEVER;
});

/** Instant without which the node is still of use. */
export const optionalInstant = optional(instant);

/** Decimal number; other texts are no amount. */
const DECIMAL = /^-?\d{1,20}(?:\.\d{1,20})?$/;

/** Amount of money that Upwork may omit. Its currency is null unless ISO 4217 has it. */
export const money = optional(
  z.object({
    rawValue: z.union([z.string().regex(DECIMAL), exactNumber]),
    currency: optional(z.string().toUpperCase().refine(isCurrency)),
  }),
);

const connection = z
  .object({
    edges: z.array(z.unknown()).nullish(),
    pageInfo: optional(z.object({ hasNextPage: flag, endCursor: text })),
  })
  .nullish();

/** Builds the schema of a page. Nodes that cannot be read are counted and omitted; every part of a page may be null. */
export function buildConnectionSchema<Node extends z.ZodType>(node: Node) {
  const edge = z.object({ node: z.unknown() });
  return connection.transform((page) => {
    const edges = page?.edges ?? [];
    const nodes = edges.flatMap((each) => {
      const read = node.safeParse(edge.safeParse(each).data?.node);
      return read.success ? [read.data] : [];
    });
    const { hasNextPage, endCursor } = page?.pageInfo ?? {};
    // Upwork does not always say that a page is the last. An empty one is.
    const next = edges.length === 0 || hasNextPage === false ? null : (endCursor ?? null);
    return { nodes, unreadable: edges.length - nodes.length, next };
  });
}
