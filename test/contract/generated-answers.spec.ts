import { Readable } from 'node:stream';
import * as fc from 'fast-check';
import type { z } from 'zod';
import { FAKE_SCHEMA } from '../../src/demo/fake-upwork/fake-schema';
import { readJsonArray } from '../../src/jobs/import/json-rows';
import { checkRow } from '../../src/jobs/import/import-row';
import type { Job } from '../../src/jobs/job.entity';
import type { UpworkJobsService } from '../../src/jobs/upwork-jobs.service';
import type {
  UpworkMessageInput,
  UpworkMessagesService,
  UpworkRoomInput,
} from '../../src/messages/upwork-messages.service';
import { UpworkRoomsService } from '../../src/messages/upwork-rooms.service';
import type { Config } from '../../src/platform/config/config';
import type { Database } from '../../src/platform/database/database';
import { isUnstorable } from '../../src/platform/http/validation/fields';
import type { UpworkProposalInput, UpworkProposalsService } from '../../src/proposals/upwork-proposals.service';
import { toJobChanges } from '../../src/sync/job-details.service';
import { JobsSyncService } from '../../src/sync/jobs-sync.service';
import { MessagesSyncService } from '../../src/sync/messages-sync.service';
import { ProposalsSyncService } from '../../src/sync/proposals-sync.service';
import type { SyncResult } from '../../src/sync/sync-run';
import type { UpworkAccountService } from '../../src/tokens/upwork-account.service';
import { COMPANY_SELECTOR, CURRENT_USER } from '../../src/upwork/documents/account.documents';
import { ROOM_STORIES, ROOMS, SEND_MESSAGE } from '../../src/upwork/documents/conversations.documents';
import { JOB_DETAILS } from '../../src/upwork/documents/job-details.documents';
import { SEARCH_JOBS } from '../../src/upwork/documents/jobs.documents';
import { VENDOR_PROPOSALS } from '../../src/upwork/documents/proposals.documents';
import type { UpworkDocument } from '../../src/upwork/documents/upwork-document';
import { readAnswer } from '../../src/upwork/upwork-answers';
import type { UpworkClientService } from '../../src/upwork/upwork-client.service';
import { UpworkError } from '../../src/upwork/upwork.error';
import {
  buildAnswers,
  type GeneratedAnswer,
  type GeneratedNode,
  isFailure,
  isId,
  isInstant,
  listNodes,
  OWN_ID,
  ScriptedUpwork,
  toArrivedAnswer,
} from '../support/generated-answers';

/** Every run generates the same answers. A failure prints its start value and the smallest answers that fail. */
const SEED = 19;

const CALLER = {
  userId: 1,
  tokenId: 1,
  accessToken: 'token',
  organizationId: null,
  stop: new AbortController().signal,
};
const ACCOUNTS = { findUserId: () => Promise.resolve(OWN_ID) } as unknown as UpworkAccountService;

/** Statuses of proposals that did not reach the client. */
const NOT_SENT = ['Created', 'Pending', 'Invalid'];

const answersTo = ({ text }: UpworkDocument<z.ZodType>) => buildAnswers(FAKE_SCHEMA, text);
const pagesOf = (document: UpworkDocument<z.ZodType>, maxLength: number) =>
  fc.array(answersTo(document), { minLength: 1, maxLength });
const toClient = (upwork: ScriptedUpwork) => upwork as unknown as UpworkClientService;

/** Rejects what PostgreSQL cannot store, in any part of a value. */
function assertStorable(value: unknown): void {
  if (typeof value === 'string') expect(isUnstorable(value)).toBe(false);
  else if (value instanceof Date) expect(value.getTime()).not.toBeNaN();
  else if (typeof value === 'object' && value !== null) Object.values(value).forEach(assertStorable);
}

const expectLength = (text: string | null, min: number, max: number) => {
  const length = [...(text ?? 'x'.repeat(min))].length;
  expect([length >= min, length <= max]).toEqual([true, true]);
};

describe('a thousand generated answers of Upwork', () => {
  let servedCount = 0;

  /** Returns the counts of a synchronisation over the answers; undefined when it failed with reason. */
  async function synchronize(upwork: ScriptedUpwork, run: () => Promise<SyncResult>, mayFail: () => boolean) {
    const result = await run().catch((error: unknown) => error);
    servedCount += upwork.served.length;
    if (!(result instanceof Error)) return (result as SyncResult).counts;
    if (!(result instanceof UpworkError)) throw result;
    expect(mayFail()).toBe(true);
    return undefined;
  }

  const countFailures = (upwork: ScriptedUpwork) => upwork.served.filter(({ answer }) => isFailure(answer)).length;

  const readNodes = (upwork: ScriptedUpwork, operation: string) =>
    upwork.served
      .filter((each) => each.operation === operation && !isFailure(each.answer))
      .flatMap(({ answer }) => listNodes(answer));

  it('gives one row per job, or counts it as unreadable', async () => {
    await fc.assert(
      fc.asyncProperty(pagesOf(SEARCH_JOBS, 4), async (answers) => {
        const upwork = new ScriptedUpwork({ [SEARCH_JOBS.name]: answers });
        const rows: string[] = [];
        const jobs = {
          store: async (found: Record<string, unknown>[]) => {
            const rowsWithoutNumber = found.map(({ upworkJobNumber: _, ...row }) => row);
            const stored = await Promise.all((await parseRows(rowsWithoutNumber)).map(checkRow));
            for (const { content } of stored) {
              assertStorable(content);
              rows.push(content.upworkJobId ?? '');
            }
            return { created: found.length, updated: 0, unchanged: 0, failed: 0 };
          },
        } as unknown as UpworkJobsService;
        const search = { id: 1, lastSearchedAt: null, lastFullSearchAt: null, locations: [] };
        const database = { query: (sql: string) => Promise.resolve(sql.includes('SELECT') ? [search] : []) };
        const config = { upwork: { cacheHours: 24 } } as Config;
        const sync = new JobsSyncService(database as unknown as Database, toClient(upwork), jobs, config);

        const counts = await synchronize(
          upwork,
          () => sync.run(CALLER),
          () => countFailures(upwork) === 1,
        );

        const nodes = readNodes(upwork, SEARCH_JOBS.name);
        const readable = nodes.filter((node) => node !== null).filter(({ id }) => isId(id));
        expect(rows).toEqual(readable.map(({ id, ciphertext }) => (isId(ciphertext) ? ciphertext : `~02${id}`)));
        if (counts) expect(counts['unreadable']).toBe(nodes.length - readable.length);
      }),
      { seed: SEED, numRuns: 80 },
    );
  });

  it('gives one row per proposal of the user that was sent, or counts why there is none', async () => {
    await fc.assert(
      fc.asyncProperty(pagesOf(VENDOR_PROPOSALS, 16), async (answers) => {
        const upwork = new ScriptedUpwork({ [VENDOR_PROPOSALS.name]: answers });
        const rows: string[] = [];
        const proposals = {
          updateStatus: (input: UpworkProposalInput) => {
            assertStorable(input);
            expectLength(input.coverLetter, 0, 20_000);
            expectLength(input.upworkStatus, 1, 100);
            expect(input.currency).toMatch(/^[A-Z]{3}$/);
            expect(input.bidAmount ?? '0.00').toMatch(/^\d{1,8}\.\d\d$/);
            rows.push(input.upworkProposalId);
            return Promise.resolve('created');
          },
          markSeen: () => Promise.resolve(),
        } as unknown as UpworkProposalsService;
        const sync = new ProposalsSyncService(toClient(upwork), proposals, {} as UpworkJobsService, ACCOUNTS);

        const counts = await synchronize(
          upwork,
          () => sync.run(CALLER, {}),
          () => countFailures(upwork) === 8,
        );

        const nodes = readNodes(upwork, VENDOR_PROPOSALS.name);
        const readable = nodes.filter(isReadableProposal);
        const distinct = readable.filter(({ id }, index) => readable.findIndex((each) => each.id === id) === index);
        const own = distinct.filter(({ user }) => user.id === OWN_ID);
        const sent = own.filter(({ status }) => !NOT_SENT.includes(status.status));
        expect(rows).toEqual(sent.map(({ id }) => id));
        if (!counts) return;
        expect(counts).toMatchObject({ created: sent.length, notSent: own.length - sent.length, failed: 0 });
        expect(counts).toMatchObject({
          ofTeamMates: distinct.length - own.length,
          unreadable: nodes.length - readable.length,
        });
      }),
      { seed: SEED, numRuns: 45 },
    );
  });

  it('gives one row per message of each room, or counts it as unreadable', async () => {
    const script = fc.record({ [ROOMS.name]: pagesOf(ROOMS, 3), [ROOM_STORIES.name]: pagesOf(ROOM_STORIES, 12) });
    await fc.assert(
      fc.asyncProperty(script, async (answers) => {
        const upwork = new ScriptedUpwork(answers);
        const rows = new Map<string, string[]>();
        const messages = {
          store: (room: UpworkRoomInput, found: UpworkMessageInput[]) => {
            assertStorable([room, found]);
            expectLength(room.title, 1, 500);
            for (const { content } of found) expectLength(content, 1, 50_000);
            expect(rows.has(room.roomId)).toBe(false);
            rows.set(
              room.roomId,
              found.map(({ upworkMessageId }) => upworkMessageId),
            );
            return Promise.resolve({ created: found.length, updated: 0, read: 0 });
          },
          link: () => Promise.resolve(),
        } as unknown as UpworkMessagesService;
        const rooms = new UpworkRoomsService(toClient(upwork), messages);
        const sync = new MessagesSyncService(toClient(upwork), rooms, messages, ACCOUNTS);
        const isListLost = () => upwork.served.some((each) => each.operation === ROOMS.name && isFailure(each.answer));
        const areAllLost = () => rows.size === 0 && countFailures(upwork) > 0;

        const counts = await synchronize(
          upwork,
          () => sync.run(CALLER, null, {}),
          () => isListLost() || areAllLost(),
        );

        const expected = listMessagesByRoom(upwork);
        expect(Object.fromEntries(rows)).toEqual(expected.rows);
        if (counts) expect(counts['unreadable']).toBe(expected.unreadable);
      }),
      { seed: SEED, numRuns: 60 },
    );
  });

  it('gives details of a job that can be stored', () => {
    fc.assert(
      fc.property(answersTo(JOB_DETAILS), (generated) => {
        const answer = toArrivedAnswer(generated);
        servedCount += 1;
        if (isFailure(answer)) return;
        const { marketplaceJobPosting: posting } = readAnswer(JOB_DETAILS, answer).data;
        const changes: Partial<Job> = posting ? toJobChanges(posting) : {};
        assertStorable(changes);
        expectLength(changes.title ?? null, 1, 500);
        const [min, max] = [Number(changes.hourlyRateMin ?? 0), Number(changes.hourlyRateMax ?? Infinity)];
        expect([min <= max, Number(changes.budgetMax ?? 0) < 1e8]).toEqual([true, true]);
        expect(posting === undefined || posting === null).toBe(answer.data?.['marketplaceJobPosting'] === null);
      }),
      { seed: SEED, numRuns: 250 },
    );
  });

  it.each([
    ['createRoomStoryV2', SEND_MESSAGE],
    ['user', CURRENT_USER],
  ] as const)('gives the id of %s, and otherwise an error', (field, document) => {
    fc.assert(
      fc.property(answersTo(document), (generated) => {
        const answer = toArrivedAnswer(generated);
        servedCount += 1;
        const id = (answer.data?.[field] as { id: unknown } | null | undefined)?.id;
        const read = () => (readAnswer<z.ZodType>(document, answer).data as Record<string, unknown>)[field];
        if (isId(id)) expect(read()).toEqual({ id });
        else expect(read).toThrow(UpworkError);
      }),
      { seed: SEED, numRuns: 100 },
    );
  });

  it('gives the organizations of a connection', () => {
    fc.assert(
      fc.property(answersTo(COMPANY_SELECTOR), (generated) => {
        const answer = toArrivedAnswer(generated);
        servedCount += 1;
        const { items } = (answer.data?.['companySelector'] ?? { items: [] }) as {
          items: { organizationId: string }[];
        };
        const ids = items.map(({ organizationId }) => organizationId).filter(isId);
        const read = () => readAnswer(COMPANY_SELECTOR, answer).data.companySelector.items;
        if (answer.data === null) expect(read).toThrow(UpworkError);
        else expect(read().map(({ organizationId }) => organizationId)).toEqual(ids);
      }),
      { seed: SEED, numRuns: 100 },
    );
  });

  // A random order runs it anywhere, so it cannot be a test.
  afterAll(() => expect(servedCount).toBeGreaterThanOrEqual(1_000));
});

/** Returns the rows as the import parses them, in strict JSON. */
async function parseRows(rows: readonly object[]): Promise<unknown[]> {
  const parsed: unknown[] = [];
  for await (const { value, errors } of readJsonArray(Readable.from([Buffer.from(JSON.stringify(rows))]))) {
    expect(errors).toBeUndefined();
    parsed.push(value);
  }
  return parsed;
}

/** Returns whether a node has what a synchronisation needs of a proposal. */
function isReadableProposal(node: GeneratedNode | null): node is GeneratedNode {
  if (!node || !isInstant(node.auditDetails.createdDateTime.rawValue)) return false;
  return [node.id, node.user.id, node.marketplaceJobPosting.id].every(isId);
}

/** Counts independently of the synchronisation: the messages of each room that was read whole. */
function listMessagesByRoom({ served }: ScriptedUpwork): { rows: Record<string, string[]>; unreadable: number } {
  const ofRooms = new Map<string, GeneratedAnswer[]>();
  let unreadable = 0;
  for (const { operation, about, answer } of served) {
    const { roomId_eq: roomId } = about as { roomId_eq?: string };
    if (operation === ROOMS.name && !isFailure(answer))
      unreadable += listNodes(answer).filter((node) => !isId(node?.id)).length;
    if (roomId !== undefined) ofRooms.set(roomId, [...(ofRooms.get(roomId) ?? []), answer]);
  }
  const rows: Record<string, string[]> = {};
  for (const [roomId, answers] of ofRooms) {
    if (answers.some(isFailure)) continue;
    const stories = answers.flatMap(listNodes);
    const readable = stories
      .filter((story) => story !== null)
      .filter((story) => isId(story.id) && isInstant(story.createdDateTime));
    unreadable += stories.length - readable.length;
    // Of a story that came twice the later form counts.
    const latest = new Map(readable.map((story) => [story.id, story]));
    rows[roomId] = [...latest.values()].filter(isMessage).map(({ id }) => id);
  }
  return { rows, unreadable };
}

/** Returns whether a story has a text or a file; the others are events of the room. */
function isMessage({ message, attachments }: GeneratedNode): boolean {
  const text = (message ?? '').replace(/[\0\p{Surrogate}]/gu, '');
  return text !== '' || (attachments ?? []).some((each) => each !== null);
}
