import { findSchemaProblems } from '../../src/platform/database/schema/schema-problems';
import { type TestDatabase, createTestDatabase } from '../support/test-database';
import { setTenant } from '../support/signed-context';

/** The required indexes by their original names, each with the index that replaced it. */
const REQUIRED_INDEXES: Readonly<Record<string, string>> = {
  idx_users_email: 'idx_users_email',
  idx_users_created_at: 'idx_users_created_at',
  idx_users_is_active: 'idx_users_is_active',
  idx_jobs_user_id: 'idx_jobs_created_at',
  idx_jobs_upwork_job_id: 'jobs_source_key_key',
  idx_jobs_status: 'idx_jobs_status',
  idx_jobs_category: 'idx_jobs_category',
  idx_jobs_created_at: 'idx_jobs_created_at',
  idx_jobs_budget_range: 'idx_jobs_budget_range',
  idx_jobs_skills: 'idx_jobs_skills',
  idx_proposals_user_id: 'idx_proposals_user_id',
  idx_proposals_job_id: 'idx_proposals_job_id',
  idx_proposals_status: 'idx_proposals_status',
  idx_proposals_submitted_at: 'idx_proposals_submitted_at',
  idx_messages_user_id: 'idx_messages_created_at',
  idx_messages_job_id: 'idx_messages_job_id',
  idx_messages_created_at: 'idx_messages_created_at',
  idx_messages_is_read: 'idx_messages_is_read',
  idx_ai_generations_user_id: 'idx_ai_generations_created_at',
  idx_ai_generations_job_id: 'idx_ai_generations_job_id',
  idx_ai_generations_type: 'idx_ai_generations_type',
  idx_ai_generations_created_at: 'idx_ai_generations_created_at',
  idx_analytics_user_id: 'idx_analytics_user_metric_date',
  idx_analytics_metric_name: 'idx_analytics_user_metric_date',
  idx_analytics_date: 'idx_analytics_date',
  idx_analytics_user_metric_date: 'idx_analytics_user_metric_date',
  idx_security_logs_user_id: 'idx_security_logs_user_id',
  idx_security_logs_event_type: 'idx_security_logs_event_type',
  idx_security_logs_created_at: 'idx_security_logs_created_at',
  idx_security_logs_ip_address: 'idx_security_logs_ip_address',
  idx_audit_logs_user_id: 'idx_audit_logs_user_id',
  idx_audit_logs_table_name: 'idx_audit_logs_table_name',
  idx_audit_logs_created_at: 'idx_audit_logs_created_at',
  idx_user_job_stats_user_id: 'idx_user_job_stats_user_id',
};

describe('the schema', () => {
  let database: TestDatabase;
  let tenant: number;
  beforeAll(async () => {
    database = await createTestDatabase();
    const [user] = await database.query<{ id: number }>(
      'superuser',
      `INSERT INTO users (email, encrypted_password) VALUES ('Anna@example.com', 'x') RETURNING id`,
    );
    tenant = user!.id;
    await database.transaction('superuser', async (client) => {
      // The indexes depend on no trigger, and the audit of the rows would take most of the time.
      await client.query('SET LOCAL session_replication_role = replica');
      await client.query(
        `INSERT INTO jobs (user_id, source_key, title, skills)
         SELECT $1, 'upwork:' || g, 'Job ' || g, ARRAY['s' || g % 500] FROM generate_series(1, 5000) g`,
        [tenant],
      );
    });
    await database.query('superuser', 'ANALYZE jobs');
  });
  afterAll(() => database.end());

  const asTenant = (sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> =>
    database.transaction('app', async (client) => {
      await setTenant(client, tenant);
      return (await client.query(sql, values)).rows as Record<string, unknown>[];
    });

  it('has the 34 required indexes or their replacements', async () => {
    const rows = await database.query<{ indexname: string }>(
      'app',
      `SELECT indexname FROM pg_indexes WHERE schemaname = 'public'`,
    );
    const there = new Set(rows.map(({ indexname }) => indexname));

    expect(Object.keys(REQUIRED_INDEXES)).toHaveLength(34);
    expect(Object.values(REQUIRED_INDEXES).filter((name) => !there.has(name))).toEqual([]);
  });

  it('uses the composite GIN indexes for skills and search under row security', async () => {
    const explain = async (filter: string): Promise<string> => {
      const rows = await database.transaction('app', async (client) => {
        // A table of this size is cheaper to scan; this shows which plans are possible.
        await setTenant(client, tenant);
        await client.query(`SET LOCAL enable_seqscan = off`);
        return (await client.query(`EXPLAIN SELECT id FROM jobs WHERE ${filter}`)).rows;
      });
      const plan = rows.map((row: Record<string, string>) => row['QUERY PLAN']).join('\n');
      // Since version 17, EXPLAIN names the result of the subquery instead of numbering it.
      return plan.replaceAll('$0', 'USER').replaceAll('(InitPlan 1).col1', 'USER');
    };

    expect(await explain(`skills @> '{s7}'`)).toMatch(
      /idx_jobs_skills.*\n\s+Index Cond: \(\(user_id = USER\) AND \(\(skills\)::text\[\] @>/,
    );
    expect(await explain(`skills && '{s7,s8}'`)).toMatch(
      /Index Cond: \(\(user_id = USER\) AND \(\(skills\)::text\[\] &&/,
    );
    expect(await explain(`search @@ app.search_query('4711')`)).toMatch(
      /idx_jobs_search.*\n\s+Index Cond: .*search @@/,
    );
    expect(await explain('budget_max_hundredths <= 500')).toMatch(/Index Cond: .*budget_max_hundredths <= 500/);
  });

  it('finds words in title, skills and description without regard to accents and case', async () => {
    await asTenant(
      `INSERT INTO jobs (source_key, title, skills, description)
       VALUES ('upwork:é', 'Développeur confirmé', '{Çiçek}', 'Київ: über-tool')`,
    );
    const count = async (question: string): Promise<number> =>
      (await asTenant(`SELECT id FROM jobs WHERE search @@ app.search_query($1)`, [question])).length;

    expect(
      await Promise.all(['developpeur', 'CICEK', 'київ', '"uber tool"', 'developpeur -cicek', ''].map(count)),
    ).toEqual([1, 1, 1, 1, 0, 0]);
  });

  it.each([
    ['NaN as money', `UPDATE jobs SET budget_min = 'NaN'`],
    ['negative money', `UPDATE jobs SET hourly_rate_max = -1`],
    ['a minimum budget above the maximum', `UPDATE jobs SET budget_min = 5, budget_max = 4`],
    ['an unknown status', `UPDATE jobs SET status = 'open'`],
    ['a long title', `UPDATE jobs SET title = repeat('x', 501)`],
    ['a malformed source key', `UPDATE jobs SET source_key = 'x'`],
    ['a skill that is NULL', `UPDATE jobs SET skills = '{NULL}'`],
    ['a submission without a time', `INSERT INTO proposals (job_id, status) SELECT min(id), 'submitted' FROM jobs`],
  ])('rejects %s', async (_, sql) => {
    await expect(asTenant(sql)).rejects.toMatchObject({ code: '23514' });
  });

  it('rejects the same address in another case, the same Upwork job and a second open proposal', async () => {
    const unique = { code: '23505' };
    await expect(
      database.query('superuser', `INSERT INTO users (email, encrypted_password) VALUES ('anna@EXAMPLE.com', 'x')`),
    ).rejects.toMatchObject(unique);
    await expect(asTenant(`INSERT INTO jobs (source_key, title) VALUES ('upwork:1', 'x')`)).rejects.toMatchObject(
      unique,
    );
    await expect(
      asTenant(`INSERT INTO proposals (job_id) SELECT min(id) FROM jobs UNION ALL SELECT min(id) FROM jobs`),
    ).rejects.toMatchObject(unique);
    await expect(
      asTenant(
        `INSERT INTO proposals (job_id, status, submitted_at)
         SELECT min(id), 'rejected', now() FROM jobs UNION ALL SELECT min(id), 'draft', NULL FROM jobs`,
      ),
    ).resolves.toEqual([]);
    await expect(
      asTenant(
        `INSERT INTO proposals (job_id, status, submitted_at, upwork_proposal_id)
         SELECT min(id), 'submitted', now(), 'p1' FROM jobs
         UNION ALL SELECT min(id), 'submitted', now(), 'p2' FROM jobs`,
      ),
    ).resolves.toEqual([]);
  });

  it('reads the empty setting left by SET LOCAL as no tenant', async () => {
    await expect(
      database.transaction('app', async (client) => {
        await client.query(`SELECT set_config('app.context', '', true)`);
        return (await client.query('SELECT auth.uid() AS uid')).rows;
      }),
    ).resolves.toEqual([{ uid: null }]);
  });

  describe('job statistics', () => {
    it("count every tenant's jobs under forced row security, and show each tenant their own", async () => {
      await expect(asTenant('SELECT * FROM user_job_stats')).rejects.toMatchObject({ code: '42501' });
      await expect(asTenant('SELECT refresh_user_job_stats()')).rejects.toMatchObject({ code: '42501' });
      expect(await database.query('worker', 'SELECT refresh_user_job_stats() AS refreshed')).toEqual([
        { refreshed: true },
      ]);

      const counts = await database.query(
        'superuser',
        'SELECT (SELECT count(*) FROM user_job_stats) AS stats, (SELECT count(DISTINCT user_id) FROM jobs) AS tenants',
      );
      expect(counts).toEqual([{ stats: 1, tenants: 1 }]);
      const jobs = (await asTenant('SELECT FROM jobs')).length;
      const [own] = await asTenant('SELECT * FROM tenant_job_stats');
      expect(own).toMatchObject({
        user_id: tenant,
        total_jobs: jobs,
        active_jobs: jobs,
        favorite_jobs: 0,
        avg_budget_range: '0.00',
      });
      expect(Date.now() - (own!.refreshed_at as Date).getTime()).toBeLessThan(60_000);
    });

    it('are refreshed by one session at a time', async () => {
      await database.transaction('worker', async (client) => {
        await client.query('SELECT refresh_user_job_stats()');
        expect(await database.query('worker', 'SELECT refresh_user_job_stats() AS refreshed')).toEqual([
          { refreshed: false },
        ]);
      });
    });
  });

  describe('security events', () => {
    it('accept any address and length', async () => {
      await database.query(
        'auth',
        `SELECT auth.log_event(repeat('e', 300), 5, false, 'unknown', repeat('a', 9999), $1)`,
        [JSON.stringify({ long: 'x'.repeat(20_000) })],
      );

      const [event] = await database.query(
        'superuser',
        `SELECT length(event_type) AS event, ip_address, length(user_agent) AS agent,
           length(details::text) < 8192 AS capped
         FROM security_logs WHERE user_id = 5`,
      );
      expect(event).toEqual({ event: 100, ip_address: null, agent: 512, capped: true });
    });

    it('of another tenant cannot be written by the application', async () => {
      await expect(asTenant(`SELECT auth.log_event('x', ${tenant + 1}, true, NULL, NULL, NULL)`)).rejects.toMatchObject(
        { code: '42501' },
      );
      await expect(asTenant(`SELECT auth.log_event('x', ${tenant}, true, NULL, NULL, NULL)`)).resolves.toHaveLength(1);
    });
  });

  it('is fully readable but not writable by a backup, and not readable by the monitor', async () => {
    const [counted] = await database.query('superuser', 'SELECT count(*) FROM jobs');

    expect(await database.query('backup', 'SELECT count(*) FROM jobs')).toEqual([counted]);
    await expect(database.query('backup', 'DELETE FROM jobs')).rejects.toMatchObject({ code: '25006' });
    await expect(database.query('monitor', 'SELECT FROM jobs')).rejects.toMatchObject({ code: '42501' });
    await expect(
      database.query('monitor', 'SELECT query, total_exec_time FROM pg_stat_statements LIMIT 1'),
    ).resolves.toHaveLength(1);
  });

  it('deletes idempotency keys after a day', async () => {
    await asTenant(
      `INSERT INTO idempotency_keys (key, request_hash, created_at)
       VALUES ('old', 'x', now() - interval '25 hours'), ('new', 'x', now())`,
    );

    await database.query('worker', 'SELECT app.purge_expired()');
    expect(await asTenant('SELECT key FROM idempotency_keys')).toEqual([{ key: 'new' }]);
  });

  it('deletes the rows of backups 400 days after their files', async () => {
    await database.query(
      'superuser',
      `INSERT INTO backups (started_by, reason, removed_at)
       SELECT 'schedule', days || ' days', now() - make_interval(days => days) FROM unnest(ARRAY[399, 401]) AS days
       UNION ALL SELECT 'schedule', 'stored', NULL`,
    );

    expect(await database.query('worker', 'SELECT app.purge_backups() AS deleted')).toEqual([{ deleted: 1 }]);
    expect(await database.query('superuser', 'SELECT reason FROM backups ORDER BY id')).toEqual([
      { reason: '399 days' },
      { reason: 'stored' },
    ]);
    await expect(database.query('worker', 'DELETE FROM backups')).rejects.toMatchObject({ code: '42501' });
  });

  describe('as checked before the server starts', () => {
    const check = (role: 'app' | 'superuser' = 'app'): Promise<string[]> =>
      findSchemaProblems((sql) => database.query(role, sql));

    it('is in order', async () => {
      expect(await check()).toEqual([]);
    });

    it('is not in order for a login that bypasses row security', async () => {
      expect(await check('superuser')).toContainEqual(expect.stringMatching(/signs in as postgres/));
    });

    it.each([
      ['DROP POLICY jobs_own_data_select ON jobs', /table public\.jobs: gigvault_app may SELECT but no policy/],
      ['DROP POLICY proposals_own_data_insert ON proposals', /table public\.proposals: gigvault_app may INSERT/],
      ['DROP POLICY messages_own_data_update ON messages', /table public\.messages: gigvault_app may UPDATE/],
      ['DROP POLICY users_admin_select ON users', /table public\.users: gigvault_admin may SELECT/],
      ['DROP POLICY jobs_definer_select ON jobs', /table public\.jobs: gigvault_definer may SELECT/],
      ['DROP POLICY audit_logs_auditor_insert ON audit_logs', /table public\.audit_logs: gigvault_auditor may INSERT/],
      [
        'DROP POLICY analytics_default_drain_delete ON analytics_default',
        /analytics_default: nothing lets gigvault_owner empty/,
      ],
      ['ALTER TABLE messages NO FORCE ROW LEVEL SECURITY', /table public\.messages: row security is not forced/],
      ['ALTER TABLE user_tokens DISABLE ROW LEVEL SECURITY', /table public\.user_tokens: row security is off/],
      [
        'ALTER TABLE audit_logs_default DISABLE ROW LEVEL SECURITY',
        /table public\.audit_logs_default: row security is off/,
      ],
      [
        'CREATE POLICY wide ON jobs FOR SELECT USING (true)',
        /table public\.jobs: policy wide shows rows of other tenants/,
      ],
      [
        'CREATE POLICY wide ON jobs FOR SELECT TO gigvault_admin USING (true)',
        /table public\.jobs: policy wide asks for no signature/,
      ],
      [
        'CREATE POLICY wide ON backups FOR SELECT TO gigvault_admin USING (true)',
        /table public\.backups: policy wide asks for no signature/,
      ],
      ['CREATE TABLE leaks (id bigint)', /table public\.leaks: row security is off/],
      [
        `CREATE SCHEMA billing; CREATE TABLE billing.invoices (id bigint);
         GRANT SELECT ON billing.invoices TO gigvault_app`,
        /billing\.invoices lies in a schema that no check looks at, but gigvault_app/,
      ],
      [
        'GRANT SELECT ON analytics_default TO gigvault_app',
        /analytics_default: gigvault_app may name the partition itself/,
      ],
      ['GRANT TRUNCATE ON jobs TO gigvault_app', /table public\.jobs: gigvault_app has TRUNCATE/],
      ['GRANT SELECT ON jobs TO PUBLIC', /table public\.jobs: PUBLIC has SELECT/],
      ['GRANT SELECT ON user_job_stats TO gigvault_app', /materialized view user_job_stats/],
      [
        'CREATE VIEW every_job AS SELECT * FROM jobs; GRANT SELECT ON every_job TO gigvault_app',
        /view every_job shows rows past/,
      ],
      [
        'ALTER FUNCTION refresh_user_job_stats() RESET search_path',
        /refresh_user_job_stats\(\) runs with the rights of gigvault_definer/,
      ],
      [
        'GRANT EXECUTE ON FUNCTION audit.record(text, bigint, text, jsonb, jsonb) TO PUBLIC',
        /audit\.record\(text, ?bigint, ?text, ?jsonb, ?jsonb\) may be called by PUBLIC/,
      ],
      [
        'ALTER TABLE jobs DISABLE TRIGGER audit_update',
        /table public\.jobs: audit trigger audit_update is missing or disabled/,
      ],
      ['DROP TRIGGER audit_delete ON analytics_default', /analytics_default: audit trigger audit_delete/],
      ['ALTER TABLE jobs OWNER TO gigvault_app', /jobs is owned by gigvault_app/],
      ['GRANT CREATE ON SCHEMA public TO gigvault_app', /may create objects in schema public/],
      ['GRANT INSERT ON jobs TO gigvault_backup', /table public\.jobs: gigvault_backup may INSERT but no policy/],
      ['ALTER TABLE secrets.context_keys NO FORCE ROW LEVEL SECURITY', /table secrets\.context_keys: row security/],
      ['GRANT pg_read_all_data TO gigvault_backup', /gigvault_backup is a member of pg_read_all_data/],
      ['GRANT TEMPORARY ON DATABASE :name TO gigvault_app', /may create temporary objects/],
    ])('is not in order after %s', async (breakage, message) => {
      let problems: string[] = [];
      const broken = database.transaction('superuser', async (client) => {
        await client.query(breakage.replace(':name', database.name));
        await client.query('SET LOCAL ROLE gigvault_app');
        problems = await findSchemaProblems(async (sql) => (await client.query(sql)).rows);
        throw new Error('nothing stays broken');
      });

      await expect(broken).rejects.toThrow('nothing stays broken');
      expect(problems).toContainEqual(expect.stringMatching(message));
    });
  });
});
