import { randomUUID } from 'node:crypto';
import type { Caller } from '../../support/caller';
import type { ApiProcess } from '../api-process';
import type { Random } from '../adversarial/random';

/** A user of the scenario. */
export interface Actor {
  readonly api: ApiProcess;
  readonly id: number;
  readonly caller: Caller;
  readonly random: Random;
}

type Headers = Readonly<Record<string, string>>;
type Action = (actor: Actor, headers: Headers) => Promise<unknown>;

/** Few names, so that values are taken again. */
const NAMES = ['one', 'two', 'three', 'four'];

/** Returns the id of a random row of the user; one that does not exist when there is none. */
async function pickRow({ api, id, random }: Actor, table: string, condition = 'true'): Promise<number> {
  const rows = await api.query<{ id: string }>(
    `SELECT id FROM ${table} WHERE user_id = $1 AND ${condition} ORDER BY id DESC LIMIT 20`,
    [id],
  );
  return rows.length === 0 ? 999_999_999 : Number(random.pick(rows).id);
}

function buildImport(random: Random): string {
  const rows = Array.from({ length: 1 + random.int(30) }, () => {
    const id = random.int(60);
    return `Imported ${random.int(5)},upwork-${id},${random.int(900)}`;
  });
  return `title,upwork_job_id,budget_min\n${rows.join('\n')}\n`;
}

/** Adds a cover letter and a conversation to a draft, as a synchronisation and an AI draft do. */
export async function addDependents(actor: Actor): Promise<void> {
  const draft = await pickRow(actor, 'proposals', `status = 'draft'`);
  await actor.api.query(
    `WITH p AS (SELECT user_id, id, job_id FROM proposals WHERE id = $1),
       l AS (INSERT INTO letter_versions (user_id, proposal_id, letter) SELECT user_id, id, 'Hello' FROM p)
     INSERT INTO conversations (user_id, proposal_id, job_id, room_id) SELECT user_id, id, job_id, $2 FROM p`,
    [draft, randomUUID()],
  );
}

const createJob: Action = ({ caller, random }, headers) =>
  caller.post('/v1/jobs', { title: `Job ${random.int(10)}`, budgetMin: String(random.int(500)) }, headers);
const updateJob: Action = async (actor, headers) =>
  actor.caller.patch(
    `/v1/jobs/${await pickRow(actor, 'jobs')}`,
    actor.random.pick<object>([
      { title: `Job ${actor.random.int(10)}`, skills: ['SQL', 'C++'] },
      { isFavorite: true },
      { status: 'archived', budgetMin: null },
      { clientInfo: { rating: 4.5, note: 'é "x"' } },
    ]),
    headers,
  );
const createTemplate: Action = ({ caller, random }, headers) =>
  caller.post('/v1/templates', { name: random.pick(NAMES), type: 'proposal', body: 'Dear client' }, headers);
const updateTemplate: Action = async (actor, headers) =>
  actor.caller.patch(
    `/v1/templates/${await pickRow(actor, 'templates')}`,
    { name: actor.random.pick(NAMES), body: `Text ${actor.random.int(9)}` },
    headers,
  );
const deleteTemplate: Action = async (actor, headers) =>
  actor.caller.delete(`/v1/templates/${await pickRow(actor, 'templates')}`, undefined, headers);
const createDraft: Action = async (actor, headers) =>
  actor.caller.post(
    '/v1/proposals',
    { jobId: await pickRow(actor, 'jobs'), coverLetter: 'Hello', bidAmount: '45.5', bidType: 'hourly' },
    headers,
  );
const deleteDraft: Action = async (actor, headers) =>
  actor.caller.delete(`/v1/proposals/${await pickRow(actor, 'proposals', `status = 'draft'`)}`, undefined, headers);

/** All kinds of requests, by name. */
const ACTIONS: Readonly<Record<string, Action>> = {
  createJob,
  updateJob,
  deleteJob: async (actor, headers) =>
    actor.caller.delete(`/v1/jobs/${await pickRow(actor, 'jobs')}`, undefined, headers),
  import: ({ caller, random }, headers) =>
    caller.post('/v1/jobs/import', buildImport(random), { 'content-type': 'text/csv', ...headers }),
  createTemplate,
  updateTemplate,
  deleteTemplate,
  createSearch: async (actor, headers) =>
    actor.caller.post(
      '/v1/saved-searches',
      {
        name: actor.random.pick(NAMES),
        query: 'postgresql',
        webhookId: actor.random.int(2) === 0 ? await pickRow(actor, 'webhooks') : null,
      },
      headers,
    ),
  updateSearch: async (actor, headers) =>
    actor.caller.patch(
      `/v1/saved-searches/${await pickRow(actor, 'saved_searches')}`,
      { name: actor.random.pick(NAMES), alertHours: 1 + actor.random.int(9) },
      headers,
    ),
  deleteSearch: async (actor, headers) =>
    actor.caller.delete(`/v1/saved-searches/${await pickRow(actor, 'saved_searches')}`, undefined, headers),
  createDraft,
  updateDraft: async (actor, headers) =>
    actor.caller.patch(
      `/v1/proposals/${await pickRow(actor, 'proposals')}`,
      { bidAmount: String(1 + actor.random.int(90)) },
      headers,
    ),
  deleteDraft,
  moveProposal: async (actor, headers) =>
    actor.caller.post(
      `/v1/proposals/${await pickRow(actor, 'proposals')}/${actor.random.pick(['submit', 'accept', 'archive'])}`,
      undefined,
      headers,
    ),
  writeProfile: ({ caller, random }, headers) =>
    caller.put('/v1/profile', { headline: `Developer ${random.int(9)}`, skills: ['SQL'], currency: 'USD' }, headers),
  setBudget: ({ caller, random }, headers) =>
    caller.put('/v1/ai/budget', { dailyUsd: String(random.int(5)), monthlyUsd: '10' }, headers),
  createMessage: ({ caller }, headers) =>
    caller.post('/v1/messages', { senderType: 'client', content: 'When can you start?' }, headers),
  readMessage: async (actor, headers) =>
    actor.caller.post(`/v1/messages/${await pickRow(actor, 'messages')}/read`, undefined, headers),
  createWebhook: ({ caller }, headers) => caller.post('/v1/webhooks', { url: 'https://example.com/hook' }, headers),
  updateWebhook: async (actor, headers) =>
    actor.caller.patch(`/v1/webhooks/${await pickRow(actor, 'webhooks')}`, { isActive: false }, headers),
  deleteWebhook: async (actor, headers) =>
    actor.caller.delete(`/v1/webhooks/${await pickRow(actor, 'webhooks')}`, undefined, headers),
};

/** Requests that are sent together under one id. */
const MIXED: readonly Action[] = [
  ...[createJob, updateJob, createTemplate, updateTemplate, deleteTemplate, createDraft, deleteDraft],
];

/** Sends a random request, or several with one request id; returns its kind. */
export async function sendRandomRequest(actor: Actor, requestId: string): Promise<string> {
  const { random } = actor;
  const headers = { 'x-request-id': requestId };
  if (random.int(5) === 0) {
    for (let n = 2 + random.int(8); n > 0; n -= 1) await random.pick(MIXED)(actor, headers);
    return 'mixed';
  }
  const kind = random.pick(Object.keys(ACTIONS));
  await ACTIONS[kind]!(actor, headers);
  return kind;
}
