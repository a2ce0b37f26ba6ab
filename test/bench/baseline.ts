import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { Redis } from 'ioredis';
import { escapeLiteral, Pool, type PoolClient, type QueryResult } from 'pg';
import { AccessTokensService } from '../../src/auth/access-tokens/access-tokens.service';
import {
  LocalSessionCache,
  isSessionRecord,
  toLiveSession,
  buildSessionKey,
  type LiveSession,
} from '../../src/auth/sessions/session-cache.service';
import { loadConfig } from '../../src/platform/config/load-config';
import { ContextSigner } from '../../src/platform/database/context-signer';
import { pgTypes } from '../../src/platform/database/driver/direct-connection';
import { JOB_BODY, JOB_SCHEMA, page, STATS_SCHEMA } from './baseline-schemas';
import { BASELINE_STATEMENTS } from './baseline-statements';

/**
 * The baseline: the same routes by hand on Fastify and pg, with the same check of token and session, the same context
 * and audit, prepared statements and compiled schemas. Three round trips a request, or one with `--pipelined`. It has
 * no cursors, no ETags, no limits and no error responses.
 */
const config = loadConfig();
const isPipelined = process.argv.includes('--pipelined');
const tokens = new AccessTokensService(config);
const signer = new ContextSigner(config.contextKey, 'gigvault_app');
const redis = new Redis(config.redis.url);
const sessions = new LocalSessionCache();
const pool = new Pool({
  connectionString: config.database.urls.app,
  max: config.database.poolSize,
  types: pgTypes,
  ...(isPipelined && { pipeline: true }),
});

interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: unknown[];
}

async function run(
  request: FastifyRequest,
  name: keyof typeof BASELINE_STATEMENTS,
  values: unknown[] = [],
): Promise<Record<string, unknown>[]> {
  const { userId } = await authenticate(request);
  const operation = `${request.method} ${request.routeOptions.url}`;
  const fields = [String(userId), 'user', String(userId), 'subscriber', randomUUID(), request.ip, operation, ''];
  const context = [signer.sign(fields), '15000'];
  const statement = { name, text: BASELINE_STATEMENTS[name], values };
  const client = await pool.connect();
  try {
    const { rows } = await (isPipelined
      ? runPipelined(client, context, statement)
      : runInThreeTrips(client, context, statement));
    client.release();
    return rows;
  } catch (error) {
    client.release(true);
    throw error;
  }
}

/** Parameters in the order of their numbers. */
const CONTEXT_PARTS = BASELINE_STATEMENTS.context.split(/\$\d+/);

async function runInThreeTrips(client: PoolClient, context: string[], statement: Statement): Promise<QueryResult> {
  let begin = `BEGIN;${CONTEXT_PARTS[0]}`;
  for (let i = 0; i < context.length; i++) begin += escapeLiteral(context[i]!) + CONTEXT_PARTS[i + 1]!;
  await client.query(begin);
  const result = await client.query(statement);
  await client.query('COMMIT');
  return result;
}

async function runPipelined(client: PoolClient, context: string[], statement: Statement): Promise<QueryResult> {
  const { stream } = client.connection;
  stream.cork();
  const sent = [
    client.query('BEGIN'),
    client.query({ name: 'context', text: BASELINE_STATEMENTS.context, values: context }),
    client.query(statement),
    client.query('COMMIT'),
  ] as const;
  stream.uncork();
  const [, , result] = await Promise.all(sent);
  return result;
}

async function authenticate({ headers }: FastifyRequest): Promise<LiveSession> {
  const subject = tokens.verify('access', headers.authorization?.slice('Bearer '.length) ?? '');
  const session = subject && (await sessions.get(subject.sessionId, () => loadSession(subject.sessionId)));
  if (!session || session.userId !== subject.userId) throw new Error('not signed in');
  return session;
}

async function loadSession(id: string): Promise<LiveSession | null> {
  const record = await redis.hgetall(buildSessionKey(id));
  return isSessionRecord(record) && Number(record.ends) > Date.now() ? toLiveSession(id, record) : null;
}

interface ListQuery {
  readonly q?: string;
  readonly status?: string;
  readonly skills?: string;
  readonly budgetMin?: string;
}

interface NewJob extends Record<string, unknown> {
  readonly upworkJobId: string;
  readonly skills: string[];
}

async function main(): Promise<void> {
  const app = fastify();
  const one = { schema: { response: { '2xx': JOB_SCHEMA } } };
  app.get<{ Params: { id: string } }>(
    '/v1/jobs/:id',
    one,
    async (request) => (await run(request, 'get', [Number(request.params.id)]))[0],
  );
  app.get<{ Querystring: ListQuery }>(
    '/v1/jobs',
    { schema: { response: { 200: page(JOB_SCHEMA) } } },
    async (request) => {
      const { q, status, skills, budgetMin } = request.query;
      const items = await (q === undefined
        ? run(request, 'list', [status, skills?.split(','), budgetMin])
        : run(request, 'search', [q]));
      return { items: items.slice(0, 20), nextCursor: items.length > 20 ? String(items[19]!.sortKey) : null };
    },
  );
  app.post<{ Body: NewJob }>('/v1/jobs', { schema: { body: JOB_BODY, ...one.schema } }, async (request, reply) => {
    const {
      upworkJobId,
      skills,
      title,
      description,
      budgetMin,
      budgetMax,
      category,
      country,
      jobType,
      experienceLevel,
    } = request.body;
    const others = [title, description, budgetMin, budgetMax, category, country, jobType, experienceLevel];
    void reply.status(201);
    return (await run(request, 'create', [upworkJobId, skills, ...others]))[0];
  });
  app.patch<{ Params: { id: string }; Body: { title: string } }>('/v1/jobs/:id', one, async (request) => {
    return (await run(request, 'patch', [Number(request.params.id), request.body.title]))[0];
  });
  app.get(
    '/v1/analytics/job-stats',
    { schema: { response: { 200: STATS_SCHEMA } } },
    async (request) => (await run(request, 'stats'))[0],
  );
  await app.listen({ port: config.http.port, host: config.http.host });
  process.once('SIGTERM', () => void stop(app));
}

/** Exits by itself, because a process that a signal ends writes no CPU profile. */
async function stop(app: FastifyInstance): Promise<void> {
  await app.close();
  await Promise.all([pool.end(), redis.quit()]);
  process.exit();
}

void main();
