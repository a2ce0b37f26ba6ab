import type { Attempt, Login } from './attempts';

/** Returns attempts that call functions without a signature; the expected outcome is in front. */
function call(expected: string, ...calls: readonly string[]): Attempt[] {
  return calls.map((sql) => ({ name: sql, sql: `SELECT * FROM ${sql}`, expected }));
}

/** Functions of views, policies and searches, which several logins may call. */
const HELPERS = [
  ...call('clean', 'auth.uid()', 'auth.unverified_uid()', `app.to_inet('::1')`),
  ...call('GV001', 'auth.refuse_context()'),
];
const SEARCHES = call(
  'clean',
  `app.search_document('x', '{x}', 'x')`,
  `app.search_query('x')`,
  `app.search_words('x')`,
);
const PARTITIONS = call('clean', 'app.partitions()', 'app.partition_coverage()');

/** Returns the attempt to change a table. */
function write(sql: string): Attempt {
  return { name: sql, sql, expected: '42501' };
}

/** What each login tries with the functions it may call: they run with the rights of roles that read all rows. */
export const FUNCTION_ATTEMPTS: Readonly<Record<Login, readonly Attempt[]>> = {
  app: [
    ...HELPERS,
    ...call('clean', 'audit.is_subscriber_audited()'),
    {
      name: 'a job of another tenant, whom the default takes from a context that the statement forges',
      signature: 'own',
      sql: `INSERT INTO jobs (source_key, title)
        SELECT 'upwork:1', forged FROM (SELECT set_config('app.context', E'x\\x1f$bob', true) AS forged OFFSET 0) f`,
      expected: '42501',
    },
    ...SEARCHES,
    ...PARTITIONS,
    ...call('42501', 'auth.erase_account(NULL)', `auth.log_event('x', $bob, true, NULL, NULL, NULL)`),
    ...call(
      '42501',
      `audit.record('jobs', 1, 'INSERT', NULL, '{"id": 1, "user_id": $bob}')`,
      'auth.find_account($bob)',
    ),
    ...call('42501', 'refresh_user_job_stats()', 'audit.changes_since(NULL)', 'app.emails_due()'),
    ...call('clean', 'audit.values_hash(NULL)', 'audit.address_hash(NULL)'),
    ...call('none', 'audit.find_leaf(1)'),
    ...call('clean', 'app.exceeded_ai_ceiling(1, 1)', `app.merge_upwork_jobs('{1}', '{2}')`, 'app.partitions()'),
  ],
  auth: [
    ...HELPERS,
    ...call(
      'none',
      'auth.find_account($bob)',
      'auth.account_status($bob)',
      `auth.find_credentials('b0bmark@example.com')`,
    ),
    ...call('none', `auth.find_password_reset(sha256('x'))`, 'auth.find_user_data_key($bob)'),
    ...call('none', `auth.find_data_key('00000000-0000-0000-0000-000000000b0b')`),
    ...call('none', `auth.find_witnessed_log('x')`),
    ...call('42501', `auth.store_witnessed_log('x', 0, sha256(''), 1, sha256(''), 'x')`),
    ...call('clean', `auth.issue_token('b0bmark@example.com', 'reset_password', sha256('x'), 60)`),
    ...call('clean', `auth.verify_email(sha256('x'))`, `auth.reset_password(sha256('x'), 'y')`),
    ...call('clean', `auth.set_password($bob, 'mine')`, `auth.rehash_password($bob, 'x', 'mine')`),
    ...call('clean', 'auth.end_sessions($bob)', 'auth.destroy_data_key($bob)', `auth.renew_ai_runs('[]')`),
    ...call('none', 'auth.task_alerts_to_email()'),
    ...call('42501', `auth.update_task_alerts('[{"task": "x", "due": "2000-01-01", "is_watched": true}]')`),
    ...call('42501', `auth.request_task_run('x')`, 'app.try_lock_backups()'),
    ...call('42501', `auth.register('b0bmark@example.com', NULL, 'mine', NULL, NULL, sha256('x'), 60)`),
    ...call('42501', `auth.ensure_admin('attacker@example.com', NULL, 'mine')`),
    ...call('42501', `auth.log_event('x', $bob, true, NULL, NULL, NULL)`),
    ...call('42501', `auth.put_data_key($bob, gen_random_uuid(), 'mine')`),
    ...call('42501', `auth.enqueue_email(sha256('x'), sha256('x'), gen_random_uuid(), 'x', false, 60)`),
    ...call('42501', 'auth.erase_account(NULL)', 'app.set_account_status($bob, false, NULL)'),
  ],
  worker: [
    ...HELPERS,
    ...SEARCHES,
    ...PARTITIONS,
    ...call('none', 'app.access_alerts_to_email(100)', 'app.capability_checks_due(100)', 'app.syncs_due(100)'),
    ...call('none', `app.connections_due('1 year', '0', 100)`, 'app.deliveries_due(100)'),
    ...call('none', `app.claim_email(gen_random_uuid(), 60, 100)`, 'app.undecided_messages_due(100)'),
    ...call('none', `app.data_keys_to_rewrap('', 0, 100)`, 'app.count_data_keys_by_master_key()'),
    ...call('clean', 'app.emails_due()', 'app.expire_emails()', 'app.has_lost_connections()', 'app.purge_deliveries()'),
    ...call(
      'clean',
      'app.purge_email_outbox()',
      'app.purge_expired()',
      'app.purge_one_time_tokens()',
      'app.purge_backups()',
    ),
    ...call('clean', 'app.purge_security_logs(30)', `app.end_orphaned_ai_runs('0')`, `app.orphaned_ai_runs('0')`),
    ...call('clean', `app.expire_fetched_jobs('0', 100)`, `app.rewrap_data_keys('[]')`),
    ...call('clean', 'app.record_reconnect_deliveries(100)', `app.record_daily_metrics('2000-01-01', '2100-01-01')`),
    ...call('clean', `app.detect_suspicious_access('2000-01-01')`, 'app.mark_access_alert_emailed(1)'),
    ...call('clean', `app.finish_email(1, gen_random_uuid(), NULL, 0)`, 'app.default_partition_rows()'),
    ...call(
      '42501',
      'refresh_user_job_stats()',
      'app.archive_partitions(1)',
      `app.drain_default_partition('analytics')`,
    ),
    ...call('42501', 'app.create_partitions(10)', 'app.try_lock_backups()'),
    ...call('42501', `app.request_vacuum('2000-01-01')`, 'app.analyze_tables()'),
    ...call('none', `app.erased_users('2000-01-01')`),
    ...call('clean', 'audit.is_subscriber_audited()', 'audit.begin_seal(100)'),
    ...call('clean', `audit.log_entries('audit', 0, 1000000, '{}')`, `audit.check_entries('security', 0, 1000000)`),
    ...call('none', 'audit.removals()'),
    ...call(
      '42501',
      `audit.store_seal('{"id": 1000, "tree_size": 1, "audit_floor": 0, "security_floor": 0,
      "audit_until": 0, "security_until": 0, "checkpoint": "x", "verifier_key": "x"}', sha256(''), '', '{}', '{}',
      '{}', '')`,
    ),
    ...call('42501', `auth.log_event('x', $bob, true, NULL, NULL, NULL)`, 'auth.find_account($bob)'),
    {
      name: 'a request of an admin',
      sql: `INSERT INTO task_runs (task, started_by) VALUES ('x', 'admin')`,
      expected: '42501',
    },
    { name: 'a run', sql: `INSERT INTO task_runs (task, started_by) VALUES ('x', 'schedule')`, expected: '42501' },
    { name: 'no backups', sql: 'DELETE FROM backups RETURNING id', expected: '42501' },
    { name: 'other backups', sql: `UPDATE backups SET status = 'failed' RETURNING id`, expected: 'none' },
  ],
  admin: [
    ...HELPERS,
    ...SEARCHES,
    ...PARTITIONS,
    ...call(
      'clean',
      'app.count_service_failures()',
      'app.set_account_status($bob, false, NULL)',
      'app.reset_mfa($bob)',
      `app.log_admin_access($bob, '{}')`,
    ),
    ...call('clean', 'auth.end_sessions($bob)', 'app.default_partition_rows()'),
    ...call('none', 'app.list_missing_capabilities()', 'app.count_data_keys_by_master_key()', 'audit.removals()'),
    ...call('clean', 'audit.is_subscriber_audited()', `audit.check_entries('audit', 0, 1000000)`),
    ...call('42501', `auth.log_event('x', $bob, true, NULL, NULL, NULL)`, 'auth.find_account($bob)'),
    { name: 'the accounts', sql: 'SELECT id, email FROM users', expected: 'none' },
    { name: 'the second factors', sql: 'SELECT user_id, totp_enabled FROM user_mfa', expected: 'none' },
    { name: 'the audit', sql: 'SELECT * FROM audit_logs', expected: 'none' },
    { name: 'the security events', sql: 'SELECT * FROM security_logs', expected: 'none' },
    { name: 'no alerts', sql: 'UPDATE access_alerts SET dismissed_at = now() RETURNING id', expected: 'none' },
    { name: 'a backup', sql: `INSERT INTO backups (started_by) VALUES ('admin')`, expected: '42501' },
    { name: 'another key', sql: `INSERT INTO key_rotations (key_id) VALUES ('mine')`, expected: '42501' },
    { name: 'a pause', sql: `INSERT INTO task_settings (task, paused) VALUES ('x', true)`, expected: '42501' },
  ],
  backup: [
    ...call('clean', 'app.try_lock_backups()'),
    ...call('42501', 'auth.find_account($bob)', 'app.emails_due()', 'audit.erase_user($bob, NULL, false)'),
    ...call('42501', 'refresh_user_job_stats()', 'audit.changes_since(NULL)', 'auth.context', 'pg_shadow'),
    ...call('42501', `lo_import('/etc/hostname')`, 'lo_get(1)', 'lo_creat(-1)', `pg_read_binary_file('PG_VERSION')`),
    ...call('42501', 'pg_ls_waldir()', 'pg_hba_file_rules', `pg_switch_wal()`, `pg_create_restore_point('x')`),
    ...call('42501', `pg_create_physical_replication_slot('x')`, 'pg_stat_reset()', 'pg_reload_conf()'),
    { name: 'all jobs', sql: 'SELECT * FROM jobs', expected: 'all' },
    { name: 'a copy of all jobs', sql: 'COPY jobs TO STDOUT', expected: 'all' },
    { name: 'the encrypted passwords of accounts', sql: 'SELECT encrypted_password FROM users', expected: 'all' },
    { name: 'the hashes of logins', sql: 'SELECT passwd FROM pg_shadow', expected: '42501' },
    { name: 'a copy of logins', sql: 'COPY pg_authid TO STDOUT', expected: '42501' },
    {
      name: 'the keys by a query',
      sql: `SELECT query_to_xml('TABLE secrets.context_keys', true, true, '')`,
      expected: '42501',
    },
    {
      name: 'the keys by a sample',
      sql: 'SELECT * FROM secrets.context_keys TABLESAMPLE SYSTEM (100)',
      expected: '42501',
    },
    write(`INSERT INTO jobs (user_id, source_key, title) VALUES ($bob, 'upwork:mine', 'x')`),
    write(`UPDATE jobs SET title = 'x'`),
    write('DELETE FROM audit_logs'),
    write('TRUNCATE jobs CASCADE'),
    write('MERGE INTO jobs j USING users u ON u.id = j.user_id WHEN MATCHED THEN DELETE'),
    write('SELECT FROM jobs FOR UPDATE'),
    write('SELECT FROM jobs FOR KEY SHARE'),
    write('COPY jobs (title) FROM STDIN'),
    write(`COPY jobs (title) FROM PROGRAM 'echo x'`),
    write(`COPY jobs (title) FROM '/etc/hostname'`),
    write(`COPY jobs TO PROGRAM 'cat'`),
    write(`SELECT setval('jobs_id_seq', 1)`),
    write(`SELECT nextval('jobs_id_seq')`),
    write('REFRESH MATERIALIZED VIEW user_job_stats'),
    write('CREATE INDEX ON jobs (title)'),
    write('COMMENT ON TABLE jobs IS NULL'),
    // PostgreSQL warns that nothing was granted.
    { name: 'a grant', sql: 'GRANT SELECT ON jobs TO gigvault_app', expected: 'none' },
    ...['SUPERUSER', 'CREATEROLE', 'CREATEDB', 'REPLICATION', 'CONNECTION LIMIT 0', `VALID UNTIL 'now'`].map((option) =>
      write(`ALTER ROLE gigvault_backup ${option}`),
    ),
    { name: 'a name', sql: 'ALTER ROLE gigvault_backup RENAME TO mine', expected: '0A000' },
    write(`ALTER ROLE gigvault_app PASSWORD 'mine'`),
    write(`ALTER ROLE gigvault_backup SET log_statement = 'none'`),
    write('CREATE ROLE mine'),
    write('CREATE DATABASE mine'),
    write('CREATE PUBLICATION mine FOR ALL TABLES'),
  ],
  monitor: [
    ...PARTITIONS,
    ...call('42501', 'auth.refuse_context()'),
    ...call('clean', 'audit.changes_since(NULL)'),
    ...call('clean', `audit.changes_since('{"snapshot": "3:3:", "floor": 0, "next": 0, "settles": "3"}')`),
    ...call('clean', 'app.default_partition_rows()', 'app.partition_coverage()', 'pg_stat_statements'),
    ...call('42501', 'auth.find_account($bob)', 'app.emails_due()', 'audit.erase_user($bob, NULL, false)'),
  ],
};
