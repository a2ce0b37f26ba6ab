import { EmailOutboxService } from '../../src/platform/mail/mailer.service';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { readOperations } from '../support/openapi-operations';

/** Parameters of the page and the order, which do not filter. */
const PAGING = ['limit', 'cursor', 'sort'];

/** Operations whose query is not a filter, with the reason. */
const NO_FILTERS: ReadonlyMap<string, string> = new Map([
  ['/v1/tokens/upwork/callback', 'the query of an OAuth redirect'],
  ['/v1/audit/logs/export', 'a file; see audit-export.e2e-spec.ts'],
  ['/v1/admin/audit/export', 'a file; see audit-export.e2e-spec.ts'],
  ['/v1/audit/{table}/{recordId}', 'a version; see audit-history.e2e-spec.ts'],
]);

/** Lists of generated domains: the domain's own spec has both cases of each filter. */
const OWN_SPECS: readonly string[] = [];

/** The labels that a value of a filter finds, and a value that finds none of them; a switch has no such value. */
type FilterCase = readonly [finds: string, labels: string, misses?: string];

/** The filters of each list. `{name}` is replaced by a value of the created rows. */
const CASES: Readonly<Record<string, Readonly<Record<string, FilterCase>>>> = {
  '/v1/jobs': {
    q: ['postgres', 'A', 'fortran'],
    status: ['archived', 'C', 'deleted'],
    category: ['A data', 'A', 'A'],
    subcategory: ['Reports', 'A', 'Report'],
    country: ['Kenya', 'B', 'Norway'],
    jobType: ['hourly', 'CD', 'fixed'],
    experienceLevel: ['entry,expert', 'AB', 'intermediate'],
    skills: ['SQL,Python', 'A', 'SQL,Rust'],
    anySkills: ['Python,Rust', 'AC', 'Fortran,Ada'],
    budgetMin: ['300', 'B', '1000'],
    budgetMax: ['300', 'A', '50'],
    hourlyRateMin: ['50', 'D', '100'],
    hourlyRateMax: ['40', 'C', '10'],
    isFavorite: ['true', 'B', 'false'],
    createdFrom: ['{fiveDaysAgo}', 'BD', '{tomorrow}'],
    createdTo: ['{fiveDaysAgo}', 'AC', '{monthAgo}'],
    postedFrom: ['{fiveDaysAgo}', 'B', '{tomorrow}'],
    postedTo: ['{fiveDaysAgo}', 'A', '{monthAgo}'],
    clientSpentMin: ['99.50', 'B', '99.51'],
    clientRatingMin: ['4.5', 'AB', '5'],
    clientHiresMin: ['1', 'B', '13'],
    paymentVerified: ['true', 'B', 'false'],
    applicantsMax: ['5', 'A', '4'],
    excludeFilled: ['true', 'ACD'],
  },
  '/v1/proposals': {
    jobId: ['{jobB}', 'B', '{jobC}'],
    status: ['submitted,accepted', 'B', 'draft'],
  },
  '/v1/messages': {
    jobId: ['{jobA}', 'A', '{jobC}'],
    roomId: ['room_A', 'A', 'room_C'],
    isRead: ['true', 'B', 'false'],
  },
  '/v1/conversations': {
    jobId: ['{jobA}', 'A', '{jobC}'],
    unread: ['true', 'A', 'false'],
    waitingFor: ['freelancer', 'A', 'client'],
  },
  '/v1/ai/generations': {
    jobId: ['{jobA}', 'A', '{jobC}'],
    type: ['message', 'B', 'cover_letter'],
    status: ['failed', 'A', 'succeeded,running'],
  },
  '/v1/ai/letter-versions': { proposalId: ['{proposalB}', 'B', '{proposalA}'] },
  '/v1/analytics/metrics': {
    metric: ['A', 'A', 'Z'],
    from: ['{dayFiveDaysAgo}', 'B', '{today}'],
    to: ['{dayFiveDaysAgo}', 'A', '{dayMonthAgo}'],
  },
  '/v1/analytics/summary': {
    from: ['{dayFiveDaysAgo}', 'B', '{today}'],
    to: ['{dayFiveDaysAgo}', 'A', '{dayMonthAgo}'],
  },
  '/v1/audit/logs': {
    table: ['analytics', 'B', 'letters'],
    recordId: ['900001', 'A', '900009'],
    action: ['DELETE,UPDATE', 'B', 'INSERT'],
    from: ['{fiveDaysAgo}', 'B', '{tomorrow}'],
    to: ['{fiveDaysAgo}', 'A', '{monthAgo}'],
  },
  '/v1/users/me/security-events': {
    eventType: ['auth.test', 'A', 'auth.tes'],
    success: ['false', 'B', 'true'],
    from: ['{fiveDaysAgo}', 'B', '{tomorrow}'],
    to: ['{fiveDaysAgo}', 'A', '{monthAgo}'],
  },
  '/v1/admin/audit/logs': {
    table: ['analytics', 'BC', 'letters'],
    recordId: ['900001', 'A', '900009'],
    action: ['DELETE,UPDATE', 'BC', 'INSERT'],
    from: ['{fiveDaysAgo}', 'BC', '{tomorrow}'],
    to: ['{fiveDaysAgo}', 'A', '{monthAgo}'],
    userId: ['{owner}', 'AB', '{stranger}'],
    actorKind: ['task', 'B', 'admin'],
  },
  '/v1/admin/security-logs': {
    eventType: ['auth.test', 'AC', 'auth.tes'],
    success: ['false', 'B', 'true'],
    from: ['{fiveDaysAgo}', 'BC', '{tomorrow}'],
    to: ['{fiveDaysAgo}', 'A', '{monthAgo}'],
    userId: ['{owner}', 'AB', '{stranger}'],
    ipAddress: ['2001:DB8:0::7', 'B', '203.0.113.9'],
  },
  '/v1/admin/users': {
    q: ['FILTER-a@', 'A', 'filter-z@'],
    role: ['admin', 'A', 'user'],
    isActive: ['false', 'B', 'true'],
  },
  '/v1/dev/outbox': { to: ['filter-a@example.com', 'A', 'filter-z@example.com'] },
};

/** The field of an item with its label. */
const LABEL_FIELDS: Readonly<Record<string, string>> = {
  '/v1/jobs': 'title',
  '/v1/proposals': 'coverLetter',
  '/v1/messages': 'content',
  '/v1/conversations': 'title',
  '/v1/ai/generations': 'instructions',
  '/v1/ai/letter-versions': 'letter',
  '/v1/analytics/metrics': 'metric',
  '/v1/analytics/summary': 'key',
  '/v1/audit/logs': 'requestId',
  '/v1/users/me/security-events': 'userAgent',
  '/v1/admin/audit/logs': 'requestId',
  '/v1/admin/security-logs': 'userAgent',
  '/v1/admin/users': 'firstName',
  '/v1/dev/outbox': 'subject',
};

/** Lists without pages. */
const UNPAGED: readonly string[] = ['/v1/analytics/metrics', '/v1/analytics/summary', '/v1/dev/outbox'];

const ALL = Object.entries(CASES).flatMap(([path, filters]) =>
  Object.entries(filters).map(([filter, [finds, labels, misses]]) => [path, filter, finds, labels, misses] as const),
);

const MISSES = ALL.flatMap(([path, filter, , labels, misses]) =>
  misses === undefined ? [] : [{ path, filter, labels, misses }],
);

type Item = Readonly<Record<string, unknown>>;

/** Returns the labels in a response, sorted. Rows of other origin have no label. */
function labelsIn(path: string, body: { items: readonly Item[]; byCategory: readonly Item[] }): string {
  const { items, byCategory } = body;
  const isRecorded = ({ points }: Item): boolean =>
    (points as Item[] | undefined)?.some((point) => point['isRecorded']) ?? true;
  const rows = path === '/v1/analytics/summary' ? byCategory : items.filter(isRecorded);
  return rows
    .map((item) => item[LABEL_FIELDS[path]!])
    .flatMap((value) => (typeof value === 'string' && /^[A-Z]( |$)/.test(value) ? [value[0]] : []))
    .sort()
    .join('');
}

/** Creates the rows of one user, with their labels in the fields above. */
const ROWS = `
  WITH ages AS (SELECT now() - interval '10 days' AS old, now() - interval '2 days' AS recent
  ), job AS (
    INSERT INTO jobs (user_id, source_key, title, category, subcategory, country, skills, job_type, experience_level,
      status, budget_min, budget_max, hourly_rate_min, hourly_rate_max, is_favorite, created_at, posted_at,
      client_spent, client_hires, client_rating, client_payment_verified, applicants, is_filled)
    SELECT $1::bigint, 'upwork:' || title, title, category, subcategory, country, skills::text[], job_type,
      experience_level, status, budget_min, budget_max, rate_min, rate_max, is_favorite,
      CASE WHEN is_old THEN old ELSE recent END, CASE WHEN spent IS NULL THEN NULL WHEN is_old THEN old ELSE recent END,
      spent, hires, rating, is_verified, applicants, is_filled
    FROM ages, (VALUES
      ('A report in Postgres', 'A data', 'Reports', 'Japan', '{SQL,Python}', 'fixed', 'entry', 'active',
        100, 200, NULL, NULL, false, true, 0, 0, 4.5, false, 5, false),
      ('B shop', 'B web', 'Shops', 'Kenya', '{SQL}', 'fixed', 'expert', 'active', 500, 900, NULL, NULL, true, false,
        99.5, 12, 4.99, true, 6, true),
      ('C engine', 'C games', 'Engines', 'Japan', '{Rust}', 'hourly', 'intermediate', 'archived',
        NULL, NULL, 20, 30, false, true, NULL, NULL, NULL, NULL, NULL, NULL),
      ('D engine', 'C games', 'Engines', 'Japan', '{C}', 'hourly', NULL, 'active', NULL, NULL, 60, 80, false, false,
        NULL, NULL, NULL, NULL, NULL, NULL)
    ) AS v (title, category, subcategory, country, skills, job_type, experience_level, status,
      budget_min, budget_max, rate_min, rate_max, is_favorite, is_old, spent, hires, rating, is_verified, applicants,
      is_filled)
    RETURNING id, left(title, 1) AS label
  ), proposal AS (
    INSERT INTO proposals (user_id, job_id, cover_letter, status, submitted_at)
    SELECT $1, id, label, CASE label WHEN 'A' THEN 'rejected' ELSE 'submitted' END,
      CASE label WHEN 'A' THEN old ELSE recent END
    FROM job, ages WHERE label IN ('A', 'B') RETURNING id, cover_letter AS label
  ), message AS (
    INSERT INTO messages (user_id, job_id, room_id, sender_type, content, is_read)
    SELECT $1, id, 'room_' || label, 'client', label, label = 'B' FROM job WHERE label IN ('A', 'B')
  ), conversation AS (
    INSERT INTO conversations (user_id, room_id, title, job_id, last_sender_type)
    SELECT $1, 'room_' || label, label, id, CASE label WHEN 'A' THEN 'client' ELSE 'freelancer' END
    FROM job WHERE label IN ('A', 'B')
  ), generation AS (
    INSERT INTO ai_generations (user_id, job_id, generation_type, instructions, prompt, status)
    SELECT $1, id, CASE label WHEN 'A' THEN 'proposal' ELSE 'message' END, label, 'a prompt',
      CASE label WHEN 'A' THEN 'failed' ELSE 'cancelled' END
    FROM job WHERE label IN ('A', 'B')
  ), letter AS (
    INSERT INTO letter_versions (user_id, proposal_id, letter) SELECT $1, id, label FROM proposal
  ), metric AS (
    INSERT INTO analytics (user_id, metric_name, metric_value, date)
    SELECT $1, label, 1, (at AT TIME ZONE 'UTC')::date
    FROM ages, LATERAL (VALUES ('A', old), ('B', recent)) AS v (label, at)
  ), audited AS (
    INSERT INTO audit_logs (user_id, table_name, record_id, action, actor_kind, request_id, created_at)
    SELECT owner::bigint, table_name, record_id, action, actor_kind, label, at FROM ages, LATERAL (VALUES
      ($1::bigint, 'jobs', 900001, 'INSERT', 'user', 'A', old),
      ($1, 'analytics', 900002, 'UPDATE', 'task', 'B', recent),
      ($2::bigint, 'analytics', 900003, 'DELETE', 'user', 'C', recent)
    ) AS v (owner, table_name, record_id, action, actor_kind, label, at)
  ), event AS (
    INSERT INTO security_logs (user_id, event_type, success, ip_address, user_agent, created_at)
    SELECT owner, event_type, success, ip::inet, label, at FROM ages, LATERAL (VALUES
      ($1::bigint, 'auth.test', true, '203.0.113.7', 'A', old),
      ($1, 'auth.other', false, '2001:db8::7', 'B', recent),
      ($2::bigint, 'auth.test', true, NULL, 'C', recent)
    ) AS v (owner, event_type, success, ip, label, at)
  ), account AS (
    INSERT INTO users (email, encrypted_password, first_name, role, is_active)
    VALUES ('filter-a@example.com', 'none', 'A', 'admin', true), ('filter-b@example.com', 'none', 'B', 'user', false)
  )
  SELECT 'job' || label AS name, id FROM job UNION ALL SELECT 'proposal' || label, id FROM proposal`;

const atDaysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();

describe('the filters of lists', () => {
  let app: TestApp;
  let owner: SignedInCaller;
  let admin: SignedInCaller;
  /** The values of `{name}`. */
  let values: ReadonlyMap<string, string>;

  beforeAll(async () => {
    app = await startApp();
    const other = await createSignedInCaller(app);
    const stranger = await createSignedInCaller(app);
    [owner, admin] = [await createSignedInCaller(app), await createSignedInCaller(app, { role: 'admin' })];
    const ids = await app.db.query<{ name: string; id: number }>('superuser', ROWS, [owner.id, other.id]);
    for (const label of ['A', 'B']) {
      const mail = { to: `filter-${label.toLowerCase()}@example.com`, subject: label, text: 'A test.' };
      await app.get(EmailOutboxService).enqueue(mail, { isDecoy: false, isLocal: true });
    }
    values = new Map([
      ...ids.map(({ name, id }): [string, string] => [name, String(id)]),
      ['owner', String(owner.id)],
      ['stranger', String(stranger.id)],
      ['tomorrow', atDaysAgo(-1)],
      ['fiveDaysAgo', atDaysAgo(5)],
      ['monthAgo', atDaysAgo(30)],
      ['today', atDaysAgo(0).slice(0, 10)],
      ['dayFiveDaysAgo', atDaysAgo(5).slice(0, 10)],
      ['dayMonthAgo', atDaysAgo(30).slice(0, 10)],
    ]);
  });
  afterAll(() => app.close());

  /** Returns the labels that a list shows for one value of one filter. */
  async function list(path: string, filter: string, value: string): Promise<string> {
    const caller = /^\/v1\/(admin|dev)\//.test(path) ? admin : owner;
    const sent = value.replace(/\{(\w+)\}/g, (_, name: string) => values.get(name)!);
    const { status, body } = await caller.get(
      `${path}?${filter}=${encodeURIComponent(sent)}${UNPAGED.includes(path) ? '' : '&limit=100'}`,
    );
    if (status !== 200) throw new Error(`${path} answered ${status} ${JSON.stringify(body)}`);
    return labelsIn(path, body);
  }

  it('each have a case with and one without a result', async () => {
    const operations = await readOperations(app.url);
    const filters = operations
      .filter(({ method, path }) => method === 'GET' && !NO_FILTERS.has(path) && !OWN_SPECS.includes(path))
      .flatMap(({ path, parameters }) =>
        parameters
          .filter((parameter) => parameter.in === 'query' && !PAGING.includes(parameter.name))
          .map(({ name }) => `${path} ${name}`),
      );

    expect(filters.length).toBeGreaterThan(50);
    expect(ALL.map(([path, filter]) => `${path} ${filter}`).sort()).toEqual(filters.sort());
  });

  it.each(ALL)('%s?%s finds with %s the rows %s', async (path, filter, finds, labels) => {
    expect(await list(path, filter, finds)).toBe(labels);
  });

  it.each(MISSES)(
    '$path?$filter finds with $misses none of the rows $labels',
    async ({ path, filter, labels, misses }) => {
      expect([...(await list(path, filter, misses))].filter((label) => labels.includes(label))).toEqual([]);
    },
  );

  it('/v1/jobs?excludeFilled=false does not filter', async () => {
    expect(await list('/v1/jobs', 'excludeFilled', 'false')).toBe('ABCD');
  });
});
