import type { Pool, PoolClient, QueryResult, QueryResultRow } from 'pg';
import type { Job } from '../../../src/jobs/job.entity';
import { currentContext } from '../../../src/platform/context/request-context';
import { pgTypes } from '../../../src/platform/database/driver/direct-connection';
import type { ContextSigner } from '../../../src/platform/database/context-signer';
import { SET_CONTEXT } from '../../../src/platform/database/transaction-settings';

/** The columns of the table and the properties of a job, as `Job` declares them. */
const COLUMNS = {
  id: 'id',
  user_id: 'userId',
  created_at: 'createdAt',
  source_key: 'sourceKey',
  upwork_job_id: 'upworkJobId',
  title: 'title',
  description: 'description',
  budget_min: 'budgetMin',
  budget_max: 'budgetMax',
  hourly_rate_min: 'hourlyRateMin',
  hourly_rate_max: 'hourlyRateMax',
  currency: 'currency',
  skills: 'skills',
  category: 'category',
  subcategory: 'subcategory',
  country: 'country',
  client_info: 'clientInfo',
  job_type: 'jobType',
  experience_level: 'experienceLevel',
  duration: 'duration',
  workload: 'workload',
  posted_at: 'postedAt',
  renewed_at: 'renewedAt',
  client_spent: 'clientSpent',
  client_spent_currency: 'clientSpentCurrency',
  client_hires: 'clientHires',
  client_posted_jobs: 'clientPostedJobs',
  client_rating: 'clientRating',
  client_reviews: 'clientReviews',
  client_payment_verified: 'clientPaymentVerified',
  client_member_since: 'clientMemberSince',
  applicants: 'applicants',
  freelancers_to_hire: 'freelancersToHire',
  is_filled: 'isFilled',
  already_applied: 'alreadyApplied',
  premium: 'premium',
  enterprise: 'enterprise',
  preferred_locations: 'preferredLocations',
  location_required: 'locationRequired',
  status: 'status',
  is_favorite: 'isFavorite',
  version: 'version',
  updated_at: 'updatedAt',
} as const satisfies Record<string, keyof Job>;

type Column = keyof typeof COLUMNS;

const READ_COLUMNS = Object.entries(COLUMNS)
  .map(([column, property]) => `${column} AS "${property}"`)
  .join(', ');
const WRITTEN_COLUMNS = [
  'source_key',
  'upwork_job_id',
  'title',
  'description',
  'budget_min',
  'budget_max',
  'hourly_rate_min',
  'hourly_rate_max',
  'currency',
  'skills',
  'category',
  'subcategory',
  'country',
  'client_info',
  'duration',
  'workload',
] as const satisfies readonly Column[];
const AUDITED_COLUMNS = (Object.keys(COLUMNS) as Column[]).filter(
  (column) => column !== 'version' && column !== 'updated_at',
);

const STATEMENTS = {
  context: SET_CONTEXT,
  select: `SELECT ${READ_COLUMNS} FROM jobs WHERE id = $1`,
  lock: `SELECT ${READ_COLUMNS} FROM jobs WHERE id = $1 FOR UPDATE`,
  insert: `INSERT INTO jobs (${WRITTEN_COLUMNS.join(', ')})
    VALUES (${WRITTEN_COLUMNS.map((_, i) => `$${i + 1}`).join(', ')}) RETURNING ${READ_COLUMNS}`,
  retitle: `UPDATE jobs SET title = $2 WHERE id = $1 RETURNING title, version, updated_at AS "updatedAt"`,
  audit: 'SELECT audit.record($1, $2, $3, $4, $5)',
} as const;

/**
 * Hand-written code for one table instead of Database: the same statements with the same names and context, in as
 * many socket writes, over pg's pipeline. It has neither entities nor units of work.
 */
export class HandWrittenDatabase {
  constructor(
    private readonly pool: Pool,
    private readonly signer: ContextSigner,
  ) {}

  async find(id: number): Promise<Job | undefined> {
    return this.withClient(async (client) => {
      const [, , found] = await sendTogether(client, () => [
        client.query('BEGIN'),
        setContext(client, this.signer, 'triggers'),
        run(client, 'select', [id]),
        client.query('COMMIT'),
      ]);
      return found!.rows[0] as Job | undefined;
    });
  }

  async create(values: Partial<Job>): Promise<Job> {
    const parameters = WRITTEN_COLUMNS.map((column) => values[COLUMNS[column]]);
    return this.withClient(async (client) => {
      const [, , inserted] = await sendTogether(client, () => [
        client.query('BEGIN'),
        setContext(client, this.signer, 'subscriber'),
        run(client, 'insert', parameters),
      ]);
      const job = inserted!.rows[0] as Job;
      const row = Object.fromEntries(AUDITED_COLUMNS.map((column) => [column, job[COLUMNS[column]]]));
      await sendTogether(client, () => auditAndCommit(client, job.id, 'INSERT', null, JSON.stringify(row)));
      return job;
    });
  }

  async patch(id: number, { title }: { title: string }): Promise<Job> {
    return this.withClient(async (client) => {
      const [, , found] = await sendTogether(client, () => [
        client.query('BEGIN'),
        setContext(client, this.signer, 'subscriber'),
        run(client, 'lock', [id]),
      ]);
      const old = found!.rows[0] as Job;
      const change = [JSON.stringify({ title: old.title }), JSON.stringify({ title })] as const;
      const [changed] = await sendTogether(client, () => [
        run(client, 'retitle', [id, title]),
        ...auditAndCommit(client, id, 'UPDATE', ...change),
      ]);
      return { ...old, ...(changed!.rows[0] as Partial<Job>) };
    });
  }

  end(): Promise<void> {
    return this.pool.end();
  }

  private async withClient<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.pool.connect();
    try {
      const result = await work(client);
      client.release();
      return result;
    } catch (error) {
      client.release(true);
      throw error;
    }
  }
}

type Answer = Promise<QueryResult<QueryResultRow>>;

/** Sends statements that are issued together in one socket write; throws the first error. */
async function sendTogether(client: PoolClient, issue: () => Answer[]): Promise<QueryResult<QueryResultRow>[]> {
  const { stream } = client.connection;
  stream.cork();
  const sent = issue();
  stream.uncork();
  return Promise.all(sent);
}

function setContext(client: PoolClient, signer: ContextSigner, auditSource: 'subscriber' | 'triggers'): Answer {
  const { principal, requestId, ip, operation } = currentContext()!;
  const userId = String(principal!.userId);
  const fields = [userId, principal!.role, userId, auditSource, requestId, ip ?? '', operation, ''];
  return run(client, 'context', [signer.sign(fields), '15000']);
}

function auditAndCommit(
  client: PoolClient,
  id: number,
  action: string,
  before: string | null,
  after: string,
): Answer[] {
  return [run(client, 'audit', ['jobs', id, action, before, after]), client.query('COMMIT')];
}

function run(client: PoolClient, name: keyof typeof STATEMENTS, values: unknown[]): Answer {
  return client.query({ name, text: STATEMENTS[name], values, types: pgTypes });
}
