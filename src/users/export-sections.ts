/** A section of the export: the rows of one table that belong to a user. */
export interface ExportSection {
  /** Name in the file. */
  readonly name: string;
  readonly table: string;
  /** Column with the user's id. */
  readonly owner: 'id' | 'user_id';
  /** Columns to read; '*' unless the role may not read all. */
  readonly columns: string;
  /** Sort key of the pages: columns and types, unique together. */
  readonly key: readonly (readonly [column: string, type: string])[];
}

const BY_ID = [['id', 'bigint']] as const;
const BY_TIME = [['created_at', 'timestamptz'], ...BY_ID] as const;

const byId = (name: string, table: string): ExportSection => ({
  name,
  table,
  owner: 'user_id',
  columns: '*',
  key: BY_ID,
});
const byTime = (name: string, table: string): ExportSection => ({
  name,
  table,
  owner: 'user_id',
  columns: '*',
  key: BY_TIME,
});

/** All exported tables. `NOT_EXPORTED` lists the others; a test checks that every table is in one of the two. */
export const EXPORT_SECTIONS: readonly ExportSection[] = [
  {
    name: 'account',
    table: 'users',
    owner: 'id',
    columns:
      'id, email, first_name, last_name, is_active, is_verified, role, sessions_valid_from, version, ' +
      'created_at, updated_at',
    key: BY_ID,
  },
  byId('secondFactor', 'user_mfa'),
  byId('connections', 'user_tokens'),
  byId('syncs', 'syncs'),
  byId('savedSearches', 'saved_searches'),
  byId('webhooks', 'webhooks'),
  byId('alertDeliveries', 'alert_deliveries'),
  byId('profiles', 'profiles'),
  byId('templates', 'templates'),
  byId('jobs', 'jobs'),
  byId('proposals', 'proposals'),
  byId('proposalStatusChanges', 'proposal_status_changes'),
  byId('letterVersions', 'letter_versions'),
  byId('conversations', 'conversations'),
  byId('messages', 'messages'),
  byId('aiGenerations', 'ai_generations'),
  byId('aiBudgets', 'ai_budgets'),
  byId('aiCalls', 'ai_calls'),
  { ...byId('aiRuns', 'ai_runs'), key: [['generation_id', 'bigint']] },
  { ...byId('analytics', 'analytics'), key: [['date', 'date'], ...BY_ID] },
  { ...byId('idempotencyKeys', 'idempotency_keys'), key: [['key', 'text']] },
  byTime('accessAlerts', 'access_alerts'),
  byTime('securityEvents', 'security_logs'),
  byTime('auditLog', 'audit_logs'),
];

/** Tables with rows of a user that are not exported, with the reason. */
export const NOT_EXPORTED: Readonly<Record<string, string>> = {
  data_keys: 'a wrapped key, which contains no personal data',
  one_time_tokens: 'hashes of links that were emailed to the user',
};

/** Columns with secrets, which never leave the server. */
export const SECRET_COLUMNS: ReadonlySet<string> = new Set([
  'encrypted_totp_secret',
  'backup_codes_hash',
  'encrypted_access_token',
  'encrypted_refresh_token',
  'encrypted_secret',
  'encrypted_previous_secret',
  'seal_key',
  'request_hash',
  'values_salt',
  'values_hash',
  'address_hash',
  'details_salt',
  'details_hash',
]);

/** A statement and its values. */
type Query = [sql: string, values: unknown[]];

/** Lists generated columns, which only repeat others in another form. */
export const GENERATED_COLUMNS = `
  SELECT a.attrelid::regclass::text AS "table", array_agg(a.attname::text) AS columns
  FROM pg_attribute a
  WHERE a.attrelid IN (SELECT format('public.%I', t.name)::regclass FROM unnest($1::text[]) AS t (name))
    AND a.attgenerated <> ''
  GROUP BY a.attrelid`;

/** A row with its sort keys as PostgreSQL's text: a Date loses the microseconds. */
export interface ExportedRow extends Record<string, unknown> {
  readonly sort_keys: readonly string[];
}

/** Builds the query of `limit` rows of a section after the keys `after`. All names in it are constants of this file. */
export function buildSectionQuery(
  { table, owner, columns, key }: ExportSection,
  after: readonly string[] | null,
  limit: number,
): Query {
  const names = key.map(([column]) => column).join(', ');
  const sortKeys = key.map(([column]) => `${column}::text`).join(', ');
  const placeholders = key.map(([, type], i) => `$${i + 2}::${type}`).join(', ');
  return [
    `SELECT ${columns}, ARRAY[${sortKeys}] AS sort_keys FROM ${table}
     WHERE ${owner} = (SELECT tenant FROM auth.context)${after === null ? '' : ` AND (${names}) > (${placeholders})`}
     ORDER BY ${names} LIMIT $1`,
    [limit, ...(after ?? [])],
  ];
}
