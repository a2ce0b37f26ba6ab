/** A part of the export: the rows of one table that are about a user. */
export interface ExportSection {
  /** Its name in the file. */
  readonly name: string;
  readonly table: string;
  /** Column that names the user. */
  readonly owner: 'id' | 'user_id';
  /** What is read; '*' but where the login may not read all. */
  readonly columns: string;
  /** What pages are read behind: columns and types, unique together. */
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

/** Everything held on a user, table by table; `NOT_EXPORTED` tells of the rest, and a test knows every table. */
export const EXPORT_SECTIONS: readonly ExportSection[] = [
  {
    name: 'account',
    table: 'users',
    owner: 'id',
    columns:
      'id, email, first_name, last_name, is_active, is_verified, role, sessions_valid_from, version, created_at, updated_at',
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
  byId('letterVersions', 'letter_versions'),
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

/** Tables with rows about a user of which nothing is exported, and why. */
export const NOT_EXPORTED: Readonly<Record<string, string>> = {
  data_keys: 'a wrapped key, which tells nothing of him',
  one_time_tokens: 'hashes of links that were mailed to him',
};

/** Columns that open or prove something: they are named nowhere and leave the server in no form. */
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
]);

/** A statement and its values. */
type Query = [sql: string, values: unknown[]];

/** Generated columns only repeat others in another form. */
export const GENERATED_COLUMNS = `
  SELECT a.attrelid::regclass::text AS "table", array_agg(a.attname::text) AS columns
  FROM pg_attribute a
  WHERE a.attrelid IN (SELECT format('public.%I', t.name)::regclass FROM unnest($1::text[]) AS t (name)) AND a.attgenerated <> ''
  GROUP BY a.attrelid`;

/** A row with the keys it is sorted by, as PostgreSQL writes them: a Date loses the microseconds. */
export interface ExportedRow extends Record<string, unknown> {
  readonly sort_keys: readonly string[];
}

/** So many rows of a section behind the row with the keys `after`; every name in it stands in export-sections.ts. */
export function buildSectionQuery(
  { table, owner, columns, key }: ExportSection,
  after: readonly string[] | null,
  take: number,
): Query {
  const names = key.map(([column]) => column).join(', ');
  const texts = key.map(([column]) => `${column}::text`).join(', ');
  const behind = key.map(([, type], i) => `$${i + 2}::${type}`).join(', ');
  return [
    `SELECT ${columns}, ARRAY[${texts}] AS sort_keys FROM ${table}
     WHERE ${owner} = (SELECT auth.uid())${after === null ? '' : ` AND (${names}) > (${behind})`}
     ORDER BY ${names} LIMIT $1`,
    [take, ...(after ?? [])],
  ];
}
