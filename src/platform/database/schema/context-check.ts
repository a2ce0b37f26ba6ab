import { ContextSigner } from '../context-signer';

/** A function that runs one statement with the login gigvault_app and returns its rows. */
export type ParameterizedQuery = (sql: string, values: unknown[]) => Promise<Record<string, unknown>[]>;

/** PostgreSQL accepts a signature for 30 seconds; the rest is for its reuse and for waiting statements. */
const MAX_SKEW_MS = 20_000;

const TIME = `SELECT (extract(epoch FROM now()) * 1000)::float8 AS ms`;

/** The subquery depends on the row of `sent`, so it runs after the context is set. */
const IS_ACCEPTED = `
  SELECT EXISTS (SELECT FROM auth.context WHERE sent.context IS NOT NULL) AS "isAccepted"
  FROM (SELECT set_config('app.context', $1, true) AS context OFFSET 0) AS sent`;

/** Returns whether the database knows the key that signs contexts. Its own clock dates the signature. */
export async function isContextKeyKnown(query: ParameterizedQuery, contextKey: Buffer): Promise<boolean> {
  const signed = new ContextSigner(contextKey, 'gigvault_app').sign(['0'], await readTime(query));
  const [row] = await query(IS_ACCEPTED, [signed]);
  return row?.['isAccepted'] === true;
}

/** Finds why PostgreSQL would refuse the contexts that this process signs. Each is one sentence with the remedy. */
export async function findContextProblems(query: ParameterizedQuery, contextKey: Buffer): Promise<string[]> {
  if (!(await isContextKeyKnown(query, contextKey)))
    return [
      'the database does not know the key that signs contexts: ' +
        'npm run migrate with the SECRET_KEY and CONTEXT_KEY of the server',
    ];
  const sentAt = Date.now();
  const time = await readTime(query);
  // The time of the statement itself counts in favour of the machine.
  const skewMs = Math.max(sentAt - time, time - Date.now());
  if (skewMs < MAX_SKEW_MS) return [];
  return [
    `the clocks of server and database differ by ${Math.round(skewMs / 1_000)} s, and a signature allows ` +
      `${MAX_SKEW_MS / 1_000} s: timedatectl set-ntp true on both machines`,
  ];
}

async function readTime(query: ParameterizedQuery): Promise<number> {
  const [row] = await query(TIME, []);
  return Number(row?.['ms']);
}
