import * as fc from 'fast-check';
import { FAKE_SCHEMA } from '../../src/demo/fake-upwork/fake-schema';
import { ROOMS } from '../../src/upwork/documents/conversations.documents';
import { SEARCH_JOBS } from '../../src/upwork/documents/jobs.documents';
import type { SignedInCaller } from '../support/accounts';
import type { Answer } from '../support/caller';
import {
  buildAnswers,
  type GeneratedAnswer,
  isFailure,
  isId,
  listNodes,
  OWN_ID,
  toArrivedAnswer,
} from '../support/generated-answers';
import { startUpworkApp, type UpworkApp } from '../support/upwork-app';

/** Every run has the same answers and the same broken nodes. */
const SEED = 19;

const BROKEN = { share: 0.2, seed: SEED };

const KINDS = ['jobs', 'proposals', 'messages'] as const;
const ROUNDS = 3;

/** New jobs, and new conversations with a message each, for each user in each round. */
const NEW_PER_ROUND = 6;

describe('three connections to an Upwork with 20 % broken nodes and 5 % partial answers', () => {
  let upworkApp: UpworkApp;
  const users: SignedInCaller[] = [];

  beforeAll(async () => {
    upworkApp = await startUpworkApp();
    Object.assign(upworkApp.upwork, { partialEvery: 20 });
    Object.assign(upworkApp.upwork.broken, BROKEN);
  });
  afterAll(() => upworkApp.close());

  /** Adds data for a user; the jobs of their search have their id in the title. */
  function addData({ id, email }: SignedInCaller): void {
    const { marketplace } = upworkApp.upwork;
    for (let n = 0; n < NEW_PER_ROUND; n++) {
      marketplace.publish({ title: `Wanted${id} ${n}`, isSparse: false });
      const proposal = marketplace.submit(email, marketplace.publish({ title: 'Other' }).id, 'Hello', '10.00');
      marketplace.writeMessage(proposal.id, 'client', `Question ${n}`);
    }
  }

  const whole = <Node extends { readonly id: string }>(nodes: readonly Node[]): Node[] =>
    nodes.filter(({ id }) => !upworkApp.upwork.broken.has(id));

  /** Lists what a user must have: what Upwork has and the fake does not break. */
  function listReadable({ id, email }: SignedInCaller): Record<string, string[]> {
    const { jobs, proposals, rooms } = upworkApp.upwork.marketplace;
    const stories = whole(rooms.filter(({ owner }) => owner === email)).flatMap((room) => whole(room.stories));
    return {
      jobs: whole(jobs.filter(({ title }) => title.startsWith(`Wanted${id} `))).map((job) => `~02${job.id}`),
      proposals: whole(proposals.filter(({ owner }) => owner === email)).map((proposal) => proposal.id),
      messages: stories.map((story) => story.id),
    };
  }

  const readIds = async (user: SignedInCaller, sql: string) =>
    (await upworkApp.app.db.query<{ id: string }>('superuser', sql, [user.id])).map(({ id }) => id);
  const listRows = async (user: SignedInCaller) => ({
    jobs: await readIds(
      user,
      `SELECT upwork_job_id AS id FROM jobs WHERE user_id = $1 AND title <> 'Other' ORDER BY 1`,
    ),
    proposals: await readIds(user, `SELECT upwork_proposal_id AS id FROM proposals WHERE user_id = $1 ORDER BY 1`),
    messages: await readIds(user, `SELECT upwork_message_id AS id FROM messages WHERE user_id = $1 ORDER BY 1`),
  });

  it('store every readable node exactly once, in runs that succeed', async () => {
    for (let n = 0; n < 3; n++) {
      const user = await upworkApp.connectUser();
      await user.post('/v1/saved-searches', { name: 'All', query: `wanted${user.id}` });
      users.push(user);
    }
    const runs: Answer['body'][] = [];
    for (let round = 0; round < ROUNDS; round++) {
      users.forEach(addData);
      for (const kind of KINDS) {
        for (const user of users) runs.push(await upworkApp.synchronize(user, kind));
      }
    }

    expect(runs.map(({ status, lastError }) => [status, lastError])).toEqual(runs.map(() => ['succeeded', null]));
    for (const user of users) {
      const readable = listReadable(user);
      for (const ids of Object.values(readable)) ids.sort();
      expect(await listRows(user)).toEqual(readable);
      expect(readable['jobs']!.length).toBeLessThan(ROUNDS * NEW_PER_ROUND);
    }
    const sum = (name: string) => runs.reduce((total, { figures }) => total + (figures[name] ?? 0), 0);
    expect([sum('unreadable') > 0, sum('partial') > 0]).toEqual([true, true]);
  });
});

describe('twenty generated answers', () => {
  let upworkApp: UpworkApp;
  let ann: SignedInCaller;

  beforeAll(async () => {
    upworkApp = await startUpworkApp();
    ann = await upworkApp.connectUser();
    await ann.post('/v1/saved-searches', { name: 'All', query: 'all' });
  });
  afterAll(() => upworkApp.close());

  const readIds = async (sql: string) =>
    (await upworkApp.app.db.query<{ id: string }>('superuser', sql)).map(({ id }) => id).sort();

  /** Lets the fake give the answer to the first call of an operation, and empty ones to its later calls. */
  function serve(operation: string, answer: GeneratedAnswer): void {
    const rest = [toArrivedAnswer(answer)];
    upworkApp.upwork.transformResponse = (call, whole) =>
      call.operation === 'CurrentUser'
        ? { data: { user: { id: OWN_ID } } }
        : call.operation === operation
          ? (rest.shift() ?? { data: {} })
          : whole;
  }

  it.each([
    ['jobs', SEARCH_JOBS, `SELECT substr(upwork_job_id, 4) AS id FROM jobs`],
    ['messages', ROOMS, 'SELECT room_id AS id FROM conversations'],
  ] as const)('of %s become rows, each once', async (kind, document, sql) => {
    const answers = fc.sample(buildAnswers(FAKE_SCHEMA, document.text), { seed: SEED, numRuns: 10 });
    const expected = new Set<string>();
    for (const answer of answers) {
      // The number of a job is in its ciphertext.
      for (const node of listNodes(answer)) if (node) Object.assign(node, { ciphertext: `~02${node.id}` });
      serve(document.name, answer);

      const { status } = await upworkApp.synchronize(ann, kind);

      if (isFailure(answer)) continue;
      expect(status).toBe('succeeded');
      for (const node of listNodes(toArrivedAnswer(answer))) if (node && isId(node.id)) expected.add(node.id);
    }
    expect(await readIds(sql)).toEqual([...expected].sort());
  });
});
