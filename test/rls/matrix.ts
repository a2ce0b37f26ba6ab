/** The actors: gigvault_app as the row's tenant, as another, without a tenant; gigvault_admin; gigvault_worker. */
export const ACTORS = ['owner', 'other', 'none', 'admin', 'worker'] as const;
export type Actor = (typeof ACTORS)[number];

export const OPERATIONS = ['select', 'insert', 'update', 'delete'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** The tenant that a row is created for, and one of their jobs. */
export interface Tenant {
  readonly userId: number;
  readonly jobId: number;
}

/**
 * The result for each actor, in the order of ACTORS: rows reached (0, 1) or x for a refusal (SQLSTATE 42501). The row
 * is the owner's. An insert names the owner as its tenant, so `other` is an attempt with a forged user_id.
 */
export type Expected = `${Cell} ${Cell} ${Cell} ${Cell} ${Cell}`;
type Cell = '0' | '1' | 'x';

export interface TableRules extends Readonly<Record<Operation, Expected>> {
  /** The column that names the tenant; absent for rows without one. */
  readonly tenant?: 'id' | 'user_id';
  /** A change of the one column that is most likely to be allowed. */
  readonly set: string;
  /** Creates a row of the tenant. */
  readonly make: (tenant: Tenant) => string;
}

const NOBODY = 'x x x x x';
const OWN = '1 0 0 x x';
const OWN_INSERT = '1 x x x x';

export const MATRIX: Readonly<Record<string, TableRules>> = {
  'public.users': {
    // Only through functions of schema auth; a user must not delete their row with all that depends on it.
    select: '1 0 0 1 x',
    insert: NOBODY,
    update: OWN,
    delete: NOBODY,
    tenant: 'id',
    set: `first_name = 'x'`,
    make: () => `INSERT INTO users (email, encrypted_password) VALUES (gen_random_uuid() || '@example.com', 'x')`,
  },
  'public.user_mfa': {
    // An admin sees whether a second factor is enabled, and nothing else.
    select: '1 0 0 1 x',
    insert: OWN_INSERT,
    update: OWN,
    delete: NOBODY,
    tenant: 'user_id',
    set: 'totp_enabled = false',
    make: ({ userId }) => `INSERT INTO user_mfa (user_id) VALUES (${userId})`,
  },
  'public.user_tokens': {
    select: OWN,
    insert: OWN_INSERT,
    update: OWN,
    delete: OWN,
    tenant: 'user_id',
    set: `status = 'failing'`,
    make: ({
      userId,
    }) => `INSERT INTO user_tokens (user_id, seal_key, encrypted_access_token, encrypted_refresh_token, expires_at)
      VALUES (${userId}, gen_random_uuid(), 'x', 'x', now())`,
  },
  'public.saved_searches': {
    select: OWN,
    insert: OWN_INSERT,
    update: OWN,
    delete: OWN,
    tenant: 'user_id',
    set: 'new_matches = 1',
    make: ({ userId }) =>
      `INSERT INTO saved_searches (user_id, name, query) VALUES (${userId}, gen_random_uuid(), 'x')`,
  },
  'public.webhooks': {
    select: OWN,
    insert: OWN_INSERT,
    update: OWN,
    delete: OWN,
    tenant: 'user_id',
    set: 'is_active = false',
    make: ({ userId }) =>
      `INSERT INTO webhooks (user_id, url, seal_key, encrypted_secret) VALUES (${userId}, 'x', gen_random_uuid(), 'x')`,
  },
  'public.alert_deliveries': {
    // A function returns to the worker which are due.
    select: OWN,
    insert: OWN_INSERT,
    update: OWN,
    delete: NOBODY,
    tenant: 'user_id',
    set: 'attempts = 1',
    make: ({ userId }) => `INSERT INTO alert_deliveries (user_id, event_type, payload) VALUES (${userId}, 'x', '{}')`,
  },
  'public.syncs': {
    // Created and deleted with their connection.
    select: OWN,
    insert: OWN_INSERT,
    update: OWN,
    delete: NOBODY,
    tenant: 'user_id',
    set: 'failures = 1',
    make: ({ userId }) => `WITH token AS (
        INSERT INTO user_tokens (user_id, organization_id, seal_key, encrypted_access_token, encrypted_refresh_token,
          expires_at)
        VALUES (${userId}, gen_random_uuid(), gen_random_uuid(), 'x', 'x', now()) RETURNING id
      ) INSERT INTO syncs (user_id, token_id, kind) SELECT ${userId}, id, 'jobs' FROM token`,
  },
  'public.data_keys': {
    // Only through functions of schemas auth and app: one key a call, or a batch to rewrap.
    select: NOBODY,
    insert: NOBODY,
    update: NOBODY,
    delete: NOBODY,
    tenant: 'user_id',
    set: `wrapped_key = 'x'`,
    make: ({ userId }) =>
      `INSERT INTO data_keys (user_id, key_id, wrapped_key) VALUES (${userId}, gen_random_uuid(), 'x')`,
  },
  'public.jobs': {
    // Deleted means status 'deleted'. Undoing a request deletes rows by a function.
    select: OWN,
    insert: OWN_INSERT,
    update: OWN,
    delete: NOBODY,
    tenant: 'user_id',
    set: 'is_favorite = true',
    make: ({ userId }) =>
      `INSERT INTO jobs (user_id, source_key, title) VALUES (${userId}, 'upwork:' || gen_random_uuid(), 'x')`,
  },
  'public.proposals': {
    select: OWN,
    insert: OWN_INSERT,
    update: OWN,
    delete: OWN,
    tenant: 'user_id',
    set: `cover_letter = 'x'`,
    make: ({ userId, jobId }) => `INSERT INTO proposals (user_id, job_id) VALUES (${userId}, ${jobId})`,
  },
  'public.messages': {
    select: OWN,
    insert: OWN_INSERT,
    update: OWN,
    // Only the freelancer's own messages that a synchronisation stored.
    delete: '0 0 0 x x',
    tenant: 'user_id',
    set: 'is_read = true',
    make: ({ userId, jobId }) =>
      `INSERT INTO messages (user_id, job_id, sender_type, content) VALUES (${userId}, ${jobId}, 'client', 'x')`,
  },
  'public.conversations': {
    select: OWN,
    insert: OWN_INSERT,
    update: OWN,
    delete: NOBODY,
    tenant: 'user_id',
    set: `title = 'x'`,
    make: ({ userId }) => `INSERT INTO conversations (user_id, room_id) VALUES (${userId}, gen_random_uuid())`,
  },
  'public.ai_generations': {
    select: OWN,
    insert: OWN_INSERT,
    update: OWN,
    delete: NOBODY,
    tenant: 'user_id',
    set: `error = 'x'`,
    make: ({ userId, jobId }) =>
      `INSERT INTO ai_generations (user_id, job_id, generation_type, prompt)
       VALUES (${userId}, ${jobId}, 'proposal', 'x')`,
  },
  'public.ai_budgets': {
    select: OWN,
    insert: OWN_INSERT,
    update: OWN,
    delete: NOBODY,
    tenant: 'user_id',
    set: 'daily_usd = 1',
    make: ({ userId }) => `INSERT INTO ai_budgets (user_id) VALUES (${userId})`,
  },
  'public.ai_calls': {
    // A finished call never changes.
    select: OWN,
    insert: OWN_INSERT,
    update: NOBODY,
    delete: NOBODY,
    tenant: 'user_id',
    set: `error = 'x'`,
    make: ({ userId }) => `WITH g AS (
        INSERT INTO ai_generations (user_id, generation_type, prompt) VALUES (${userId}, 'proposal', 'x') RETURNING id)
      INSERT INTO ai_calls (user_id, generation_id, provider, model, status, input_ai_tokens, output_ai_tokens,
        cached_ai_tokens, usage_is_estimated, cost, price_list_version, duration_ms)
      SELECT ${userId}, id, 'x', 'x', 'failed', 0, 0, 0, false, 0, 'x', 0 FROM g`,
  },
  'public.ai_runs': {
    select: OWN,
    insert: OWN_INSERT,
    update: NOBODY,
    delete: OWN,
    tenant: 'user_id',
    set: 'seen_at = now()',
    make: ({ userId }) => `WITH g AS (
        INSERT INTO ai_generations (user_id, generation_type, prompt) VALUES (${userId}, 'proposal', 'x') RETURNING id)
      INSERT INTO ai_runs (user_id, generation_id, reserved_usd, provider, model, input_ai_tokens, output_ai_tokens,
        cached_ai_tokens, cost_usd, price_list_version)
      SELECT ${userId}, id, 0, 'x', 'x', 0, 0, 0, 0, 'x' FROM g`,
  },
  'public.letter_versions': {
    select: OWN,
    insert: OWN_INSERT,
    update: NOBODY,
    delete: NOBODY,
    tenant: 'user_id',
    set: `letter = 'x'`,
    make: ({ userId, jobId }) => `WITH p AS (
        INSERT INTO proposals (user_id, job_id, status, submitted_at)
        VALUES (${userId}, ${jobId}, 'archived', now()) RETURNING id)
      INSERT INTO letter_versions (user_id, proposal_id, letter) SELECT ${userId}, id, 'x' FROM p`,
  },
  'public.proposal_status_changes': {
    // Deleted with the proposal.
    select: OWN,
    insert: OWN_INSERT,
    update: NOBODY,
    delete: NOBODY,
    tenant: 'user_id',
    set: `status = 'submitted'`,
    make: ({ userId, jobId }) => `WITH p AS (
        INSERT INTO proposals (user_id, job_id, status, submitted_at)
        VALUES (${userId}, ${jobId}, 'archived', now()) RETURNING id)
      INSERT INTO proposal_status_changes (user_id, proposal_id, status, changed_at)
      SELECT ${userId}, id, 'archived', now() FROM p`,
  },
  'public.profiles': {
    select: OWN,
    insert: OWN_INSERT,
    update: OWN,
    delete: NOBODY,
    tenant: 'user_id',
    set: `headline = 'x'`,
    make: ({ userId }) => `INSERT INTO profiles (user_id) VALUES (${userId})`,
  },
  'public.templates': {
    select: OWN,
    insert: OWN_INSERT,
    update: OWN,
    delete: OWN,
    tenant: 'user_id',
    set: `body = 'x'`,
    make: ({ userId }) =>
      `INSERT INTO templates (user_id, name, generation_type, body)
       VALUES (${userId}, gen_random_uuid(), 'message', 'x')`,
  },
  'public.analytics': {
    select: OWN,
    insert: OWN_INSERT,
    update: OWN,
    delete: NOBODY,
    tenant: 'user_id',
    set: 'metric_value = 1',
    make: ({ userId }) => `INSERT INTO analytics (user_id, metric_name, date) VALUES (${userId}, 'x', current_date)`,
  },
  'public.idempotency_keys': {
    select: OWN,
    insert: OWN_INSERT,
    update: OWN,
    delete: OWN,
    tenant: 'user_id',
    set: 'status = 200',
    make: ({ userId }) => `INSERT INTO idempotency_keys (user_id, key, request_hash) VALUES (${userId}, 'x', 'x')`,
  },
  'public.security_logs': {
    select: '1 0 0 1 x',
    insert: NOBODY,
    update: NOBODY,
    delete: NOBODY,
    tenant: 'user_id',
    set: `event_type = 'x'`,
    make: ({ userId }) => `INSERT INTO security_logs (user_id, event_type, success) VALUES (${userId}, 'x', true)`,
  },
  'public.audit_logs': {
    select: '1 0 0 1 x',
    insert: NOBODY,
    update: NOBODY,
    delete: NOBODY,
    tenant: 'user_id',
    set: `action = 'x'`,
    make: ({ userId }) => `INSERT INTO audit_logs (user_id, table_name, action) VALUES (${userId}, 'x', 'INSERT')`,
  },
  'public.access_alerts': {
    // A function of the worker creates them; an admin dismisses one.
    select: '1 0 0 1 x',
    insert: NOBODY,
    update: 'x x x 1 x',
    delete: NOBODY,
    tenant: 'user_id',
    set: 'dismissed_at = now()',
    make: ({ userId }) =>
      `INSERT INTO access_alerts (user_id, kind, event_id) VALUES (${userId}, 'new_device', ${userId})`,
  },
  'public.one_time_tokens': {
    select: NOBODY,
    insert: NOBODY,
    update: NOBODY,
    delete: NOBODY,
    tenant: 'user_id',
    set: 'expires_at = now()',
    make: ({ userId }) => `INSERT INTO one_time_tokens (user_id, purpose, token_hash, expires_at)
      VALUES (${userId}, 'verify_email', sha256(gen_random_uuid()::text::bytea), now())`,
  },
  'public.email_outbox': {
    // An admin reads the local outbox; functions claim the emails to send.
    select: 'x x x 1 x',
    insert: NOBODY,
    update: NOBODY,
    delete: NOBODY,
    set: `sealed_email = 'x'`,
    make: () =>
      `INSERT INTO email_outbox (recipient_hash, seal_key, sealed_email) VALUES (sha256('x'), gen_random_uuid(), 'x')`,
  },
  'public.task_runs': {
    // An admin requests a run and cannot change one; the worker may not create a run of an admin.
    select: 'x x x 1 1',
    insert: 'x x x 1 x',
    update: 'x x x x 1',
    delete: NOBODY,
    set: `figures = '{}'`,
    make: () => `INSERT INTO task_runs (task, started_by, started_by_id, outcome) VALUES ('x', 'admin', 1, 'queued')`,
  },
  'public.task_settings': {
    select: 'x x x 1 1',
    insert: 'x x x 1 x',
    update: 'x x x 1 x',
    delete: NOBODY,
    set: 'paused = true',
    make: () => `INSERT INTO task_settings (task) VALUES (gen_random_uuid())`,
  },
  'public.task_alerts': {
    select: 'x x x 1 x',
    insert: NOBODY,
    update: NOBODY,
    delete: NOBODY,
    set: 'cleared_at = now()',
    make: () => `INSERT INTO task_alerts (task, kind, reason) VALUES (gen_random_uuid(), 'missed', 'x')`,
  },
  'public.backups': {
    // An admin requests a backup, or another check of one with a file. A worker writes the rest.
    select: 'x x x 1 1',
    insert: 'x x x 1 1',
    update: 'x x x 0 1',
    delete: NOBODY,
    set: `status = 'pending'`,
    make: () => `INSERT INTO backups (started_by, started_by_id) VALUES ('admin', 1)`,
  },
  'public.key_rotations': {
    // One is open, so a second is allowed without effect. An admin may only change its key.
    select: 'x x x 1 1',
    insert: 'x x x 0 0',
    update: 'x x x x 1',
    delete: NOBODY,
    set: 'promoted_at = now()',
    make: () => `INSERT INTO key_rotations (key_id) VALUES ('k1') ON CONFLICT DO NOTHING`,
  },
  'public.secret_key_check': {
    // Only through functions of schema auth, at the start of a server.
    select: NOBODY,
    insert: NOBODY,
    update: NOBODY,
    delete: NOBODY,
    set: 'created_at = now()',
    make: () => `INSERT INTO secret_key_check (hash) VALUES (repeat('x', 60)) ON CONFLICT DO NOTHING`,
  },
  'public.schema_migrations': {
    select: '1 1 1 1 1',
    insert: NOBODY,
    update: NOBODY,
    delete: NOBODY,
    set: `name = 'x'`,
    make: () => `INSERT INTO schema_migrations (timestamp, name) VALUES (1, 'x')`,
  },
  'app.partitioned_tables': {
    select: '1 1 1 1 1',
    insert: NOBODY,
    update: NOBODY,
    delete: NOBODY,
    set: `key = 'x'`,
    make: () => `INSERT INTO app.partitioned_tables (table_name, key) VALUES (gen_random_uuid(), 'x')`,
  },
  'app.ai_spending': {
    // Users learn that a ceiling is exceeded but no amount; a trigger writes it.
    select: 'x x x 1 x',
    insert: NOBODY,
    update: NOBODY,
    delete: NOBODY,
    set: 'reserved_usd = 0',
    make: () => `INSERT INTO app.ai_spending (reserved_usd, day, day_spent_usd, month, month_spent_usd)
      VALUES (0, now()::date, 0, now()::date, 0) ON CONFLICT (id) DO NOTHING`,
  },
  'app.backup_lock': {
    select: NOBODY,
    insert: NOBODY,
    update: NOBODY,
    delete: NOBODY,
    set: 'id = 2',
    make: () => 'INSERT INTO app.backup_lock (id) VALUES (1) ON CONFLICT (id) DO NOTHING',
  },
  'app.view_refreshes': {
    // Tenants read the time in tenant_job_stats.
    select: 'x x x 1 1',
    insert: NOBODY,
    update: NOBODY,
    delete: NOBODY,
    set: 'duration_ms = 0',
    make: () =>
      `INSERT INTO app.view_refreshes (view_name, refreshed_at, duration_ms) VALUES (gen_random_uuid(), now(), 0)`,
  },
  'audit.seals': {
    // Users read the heads. Only functions write.
    select: '1 1 0 1 1',
    insert: NOBODY,
    update: NOBODY,
    delete: NOBODY,
    set: 'sealed_at = now()',
    make: () => `INSERT INTO audit.seals (id, tree_size, root_hash, audit_floor, security_floor, audit_until,
        security_until, entries, checkpoint, verifier_key)
      VALUES (1, 1, sha256(''), 0, 0, 1, 1, '', 'x', 'x') ON CONFLICT DO NOTHING`,
  },
  'audit.tiles': {
    select: '1 1 0 1 1',
    insert: NOBODY,
    update: NOBODY,
    delete: NOBODY,
    set: `hashes = sha256('')`,
    make: () => `INSERT INTO audit.tiles (level, index, hashes) VALUES (0, 0, sha256('x')) ON CONFLICT DO NOTHING`,
  },
  'audit.cosignatures': {
    // The worker stores what witnesses answer, and nobody changes it.
    select: 'x x x 1 1',
    insert: 'x x x x 1',
    update: NOBODY,
    delete: NOBODY,
    set: `cosignature = 'x'`,
    make: () => `INSERT INTO audit.cosignatures (tree_size, witness, checkpoint, cosignature, cosigned_at)
      VALUES (1, gen_random_uuid(), 'x', 'x', now())`,
  },
  'audit.witnessed_logs': {
    // Only functions write.
    select: 'x x x 1 x',
    insert: NOBODY,
    update: NOBODY,
    delete: NOBODY,
    set: 'tree_size = 0',
    make: () => `INSERT INTO audit.witnessed_logs (origin, tree_size, root_hash, checkpoint)
      VALUES ('x', 1, sha256(''), 'x') ON CONFLICT DO NOTHING`,
  },
  'audit.verifications': {
    // An admin requests one. A worker writes its result.
    select: 'x x x 1 1',
    insert: 'x x x 1 x',
    update: 'x x x x 1',
    delete: NOBODY,
    set: 'progress = 0',
    make: () => 'INSERT INTO audit.verifications (started_by_id) VALUES (1)',
  },
  'audit.stream_positions': {
    select: 'x x x x 1',
    insert: 'x x x x 1',
    update: 'x x x x 1',
    delete: NOBODY,
    set: 'next_leaf = 1',
    make: () => `INSERT INTO audit.stream_positions (target, next_leaf) VALUES (gen_random_uuid(), 0)`,
  },
  'audit.audited_tables': {
    // gigvault_app reads the list for the check at start.
    select: '1 1 1 x x',
    insert: NOBODY,
    update: NOBODY,
    delete: NOBODY,
    set: `secret_columns = '{}'`,
    make: () => `INSERT INTO audit.audited_tables (table_name, secret_columns, ignored_columns)
      VALUES (gen_random_uuid(), '{}', '{}')`,
  },
  'secrets.context_keys': {
    // The keys of signed contexts; only the view auth.context and the migration login read them.
    select: NOBODY,
    insert: NOBODY,
    update: NOBODY,
    delete: NOBODY,
    set: 'replaced_at = now()',
    make: () =>
      `INSERT INTO secrets.context_keys (login, inner_pad, outer_pad)
      VALUES (gen_random_uuid()::text, repeat('x', 64)::bytea, repeat('x', 64)::bytea)`,
  },
};

/** The readable views, with a row of the owner in their tables. */
export const VIEWS: Readonly<Record<string, Expected>> = {
  'public.tenant_job_stats': '1 0 0 x x',
  'public.user_job_stats': NOBODY,
};

/** The views without a column user_id. The first two have one row for a signed context. */
export const CONTEXT_VIEWS: Readonly<Record<string, Expected>> = {
  'auth.context': '1 1 1 1 1',
  'auth.signed_session': 'x x x 1 1',
  'audit.actor': NOBODY,
};
