import { randomUUID } from 'node:crypto';
import type { TestDatabase } from '../test-database';

/** Stores a job of the user, bypassing the API, and returns its id. */
export async function insertJob(
  db: TestDatabase,
  userId: number,
  { title = 'A job', status = 'active' }: { title?: string; status?: string } = {},
): Promise<number> {
  const [job] = await db.query<{ id: number }>(
    'superuser',
    `INSERT INTO jobs (user_id, source_key, title, status) VALUES ($1, $2, $3, $4) RETURNING id`,
    [userId, `upwork:${randomUUID()}`, title, status],
  );
  return job!.id;
}

/** Builds the body of a request that creates a job. */
export function buildJob(values: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    title: 'Speed up slow PostgreSQL queries',
    description: 'Our reports take minutes.',
    budgetMin: '500.00',
    budgetMax: '1000.00',
    skills: ['PostgreSQL', 'SQL'],
    jobType: 'fixed',
    ...values,
  };
}
