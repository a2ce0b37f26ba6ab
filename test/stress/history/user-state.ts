import type { ApiProcess } from '../api-process';

/** One row of a user: its table and id, and its audited columns. */
export interface StateRow {
  readonly table: string;
  readonly id: number;
  readonly values: Readonly<Record<string, unknown>>;
}

/** The rows of a user by `table/id`, as JSON. */
export type UserState = ReadonlyMap<string, string>;

/** The rows that a request changed: JSON before and after; undefined for a row that did not exist. */
export type StateDifference = ReadonlyMap<string, readonly [before: string | undefined, after: string | undefined]>;

/** Tables whose rows a user changes in the scenario. */
const TABLES = [
  ...['jobs', 'proposals', 'letter_versions', 'templates', 'saved_searches', 'profiles', 'webhooks', 'ai_budgets'],
  ...['messages', 'conversations'],
];

/** Reads all rows of a user. The audit stores times of entity writes to the millisecond, so that is compared. */
const READ_STATE = TABLES.map(
  (table) => `
    SELECT '${table}' AS "table", t.id::integer AS id,
      to_jsonb(t) - (SELECT ignored_columns FROM audit.audited_tables WHERE table_name = '${table}')
        || jsonb_build_object('created_at', date_trunc('milliseconds', t.created_at)) AS values
    FROM ${table} t WHERE user_id = $1`,
).join(' UNION ALL ');

/** Reads the state of a user as the superuser, past the API and the audit log. */
export async function readState(api: ApiProcess, userId: number): Promise<UserState> {
  const rows = await api.query<StateRow>(READ_STATE, [userId]);
  return new Map(
    rows
      .map(({ table, id, values }): [string, string] => [`${table}/${id}`, JSON.stringify(values)])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Returns the rows that differ. */
export function compareStates(before: UserState, after: UserState): StateDifference {
  const keys = [...new Set([...before.keys(), ...after.keys()])];
  return new Map(
    keys
      .filter((key) => before.get(key) !== after.get(key))
      .map((key) => [key, [before.get(key), after.get(key)] as const]),
  );
}

/** Returns the state with the rows of a difference as they were before it: the model of an undo. */
export function revert(state: UserState, difference: StateDifference): UserState {
  const reverted = new Map(state);
  for (const [key, [before]] of difference) {
    if (before === undefined) reverted.delete(key);
    else reverted.set(key, before);
  }
  return reverted;
}
