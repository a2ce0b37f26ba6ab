import { withClient } from '../../../src/local-services/database-setup';
import { createDataSet, type Fillable } from '../../bench/data-set';

const DAY_MS = 86_400_000;

/** Rows derived from the jobs of a year, in rotation by id: a proposal for each fifth, an AI draft for each tenth. */
const WORK = `
  WITH picked AS (
    SELECT id, user_id, created_at AS seen, abs(hashint8extended(id, 4)) AS h FROM jobs WHERE id % 5 = 0
  )
  INSERT INTO proposals (user_id, job_id, status, submitted_at, won_at, rejected_at, created_at, updated_at)
  SELECT user_id, id, status, CASE WHEN status <> 'draft' THEN sent END,
    CASE WHEN status = 'accepted' THEN sent + h % 20 * interval '1 day' END,
    CASE WHEN status = 'rejected' THEN sent + h % 20 * interval '1 day' END, seen, seen
  FROM picked,
  LATERAL (SELECT
    (ARRAY['draft', 'submitted', 'submitted', 'submitted', 'submitted', 'accepted', 'rejected', 'rejected'])[1 + h % 8]
      AS status,
    seen + h % 72 * interval '1 hour' AS sent) decided`;

/** The statuses over time: each third had an interview or an offer. */
const STATUS_CHANGES = `
  INSERT INTO proposal_status_changes (user_id, proposal_id, status, upwork_status, changed_at)
  SELECT user_id, id, 'submitted', 'Accepted', submitted_at FROM proposals WHERE submitted_at IS NOT NULL
  UNION ALL
  SELECT user_id, id, 'submitted', (ARRAY['Activated', 'Offered'])[1 + id % 2], submitted_at + id % 9 * interval '1 day'
  FROM proposals WHERE submitted_at IS NOT NULL AND id % 3 = 0
  UNION ALL
  SELECT user_id, id, status, NULL, coalesce(won_at, rejected_at)
  FROM proposals WHERE status IN ('accepted', 'rejected')`;

/** Some come before the proposal was sent and are not answers, some come twice. */
const CONVERSATIONS = `
  INSERT INTO messages (user_id, job_id, sender_type, content, created_at, updated_at)
  SELECT p.user_id, p.job_id, (ARRAY['client', 'client', 'freelancer'])[1 + (h + n) % 3], 'A message', said, said
  FROM proposals p, generate_series(1, 2) n,
  LATERAL (SELECT abs(hashint8extended(p.id, 5)) AS h) hashes,
  LATERAL (SELECT p.created_at + h % 240 * n * interval '1 hour' AS said) times`;

const COVER_LETTERS = `
  INSERT INTO ai_generations (user_id, job_id, generation_type, prompt, response, status, created_at, updated_at)
  SELECT user_id, id, 'proposal', 'Write a cover letter.', 'Dear client', 'succeeded', created_at, created_at
  FROM jobs WHERE id % 10 = 0`;

const CALLS = `
  INSERT INTO ai_calls (user_id, generation_id, provider, model, status, input_ai_tokens, output_ai_tokens,
    cached_ai_tokens, usage_is_estimated, cost, price_list_version, duration_ms, created_at)
  SELECT user_id, id, 'openai', 'gpt-4', 'succeeded', 900, 300, 0, false, (id % 1000) * 0.000001, 'v1', 1, created_at
  FROM ai_generations`;

/**
 * Creates users with jobs in the last 365 days and derived rows, and one user without jobs. Triggers are disabled
 * meanwhile, so the audit contains none of it.
 */
export async function createStatisticsData(services: Fillable, size: { users: number; jobs: number }): Promise<void> {
  await createDataSet(
    services,
    { ...size, largeTenantJobs: 0, from: new Date(Date.now() - 365 * DAY_MS).toISOString() },
    'none',
  );
  await withClient(services.buildUrl('superuser'), async (client) => {
    await client.query('SET session_replication_role = replica; SET synchronous_commit = off');
    for (const statement of [WORK, STATUS_CHANGES, CONVERSATIONS, COVER_LETTERS, CALLS, 'VACUUM ANALYZE'])
      await client.query(statement);
  });
}
