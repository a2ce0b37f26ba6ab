import { z } from 'zod';

const tableState = z.object({
  /** Rows of the table itself; a partitioned one has none, each of its partitions is listed. */
  rows: z.int().min(0),
  /** Sum of the hashes of the sampled tenants' rows, or of all rows where rows belong to nobody. */
  sample: z.string(),
});

/** What the database held at the instant of the dump, read in the dump's own snapshot. */
export const manifestShape = z.object({
  version: z.literal(1),
  takenAt: z.iso.datetime(),
  /** Of PostgreSQL. */
  serverVersion: z.string(),
  role: z.object({ name: z.string(), seesAllRows: z.boolean() }),
  /** Those that had run, in their order. */
  migrations: z.array(z.string()),
  /** Those that wrap the data keys inside: they are needed to open secrets after a restore. */
  masterKeys: z.array(z.string()),
  /** The tenants whose rows are compared one by one. */
  sampledUsers: z.array(z.int()),
  tables: z.record(z.string(), tableState),
  /** How many policies, triggers, indexes, constraints, functions, views there are. */
  objects: z.record(z.string(), z.int()),
  /** Of the row of backups that the dump itself holds. */
  backupId: z.int(),
  /** SHA-256 of the text sealed in that row, in hex. */
  canaryHash: z.string(),
  /** Users who were erased, as long as the security log tells: an older backup still holds them. */
  erased: z.array(z.object({ userId: z.int(), at: z.iso.datetime() })),
});

/** What the database held at the instant of the dump. */
export type Manifest = Readonly<z.infer<typeof manifestShape>>;

/** The rows of one table, as the manifest has them. */
export type TableState = z.infer<typeof tableState>;

/** Everything in all tables. */
export function rowsIn({ tables }: Pick<Manifest, 'tables'>): number {
  return Object.values(tables).reduce((sum, { rows }) => sum + rows, 0);
}
