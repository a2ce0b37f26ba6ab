import createClient from 'openapi-fetch';
import type { components, paths } from '../../../dist/clients/api';

type Job = components['schemas']['JobDto'];
type Problem = components['schemas']['Problem'];

const api = createClient<paths>({ baseUrl: 'http://127.0.0.1:3000' });

/** Signs in. Returns undefined when a second factor is required. */
export async function signIn(email: string, password: string): Promise<string | undefined> {
  const { data, error } = await api.POST('/v1/auth/login', { body: { email, password } });
  if (error) throw new Error(codeOf(error));
  return 'accessToken' in data ? data.accessToken : undefined;
}

/** Reads all pages of the favorites. */
export async function* favourites(): AsyncGenerator<Job> {
  let cursor: string | undefined;
  do {
    const query = { isFavorite: true, limit: 50, ...(cursor === undefined ? {} : { cursor }) };
    const { data, error } = await api.GET('/v1/jobs', { params: { query } });
    if (error) throw new Error(codeOf(error));
    yield* data.items;
    cursor = data.nextCursor ?? undefined;
  } while (cursor !== undefined);
}

/** Creates a job with a title only: fields with a default are optional. */
export async function createJob(title: string, key: string): Promise<{ job: Job; etag: string | null }> {
  const { data, error, response } = await api.POST('/v1/jobs', {
    params: { header: { 'Idempotency-Key': key } },
    body: { title },
  });
  if (error) throw new Error(codeOf(error));
  return { job: data, etag: response.headers.get('etag') };
}

/** Marks a job as a favorite. Returns false when the job has changed since. */
export async function markFavourite(id: number, etag: string): Promise<boolean> {
  const { error, response } = await api.PATCH('/v1/jobs/{id}', {
    params: { path: { id }, header: { 'If-Match': etag } },
    body: { isFavorite: true },
  });
  if (response.status === 412) return false;
  if (error) throw new Error(codeOf(error));
  return true;
}

/** Drafts, edits and submits a proposal. */
export async function propose(jobId: number): Promise<string> {
  const draft = await api.POST('/v1/proposals', { body: { jobId } });
  if (draft.error) throw new Error(codeOf(draft.error));
  const path = { id: draft.data.id };
  const body = { coverLetter: 'I can start on Monday.', bidAmount: '45.5', bidType: 'hourly' as const };
  await api.PATCH('/v1/proposals/{id}', { params: { path }, body });
  const { data, error } = await api.POST('/v1/proposals/{id}/submit', { params: { path }, body: {} });
  if (error) throw new Error(codeOf(error));
  return data.status;
}

/** Starts a draft, unless the budget does not allow it. */
export async function draft(jobId: number): Promise<string | null> {
  const { data, error, response } = await api.POST('/v1/ai/generations', { body: { type: 'cover_letter', jobId } });
  if (response.status === 402 && error) return codeOf(error);
  return data && typeof data === 'object' ? data.status : null;
}

/** Sends a profile, and an import file as text. */
export async function bringAlong(csv: string): Promise<number> {
  await api.PUT('/v1/profile', { body: { headline: 'PostgreSQL engineer' } });
  const { data } = await api.POST('/v1/jobs/import', { body: csv, headers: { 'content-type': 'text/csv' } });
  return data?.created ?? 0;
}

function codeOf(problem: Problem): Problem['code'] {
  return problem.code;
}
