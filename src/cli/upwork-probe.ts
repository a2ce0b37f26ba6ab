import { setTimeout as sleep } from 'node:timers/promises';
import { text as readText } from 'node:stream/consumers';
import type { z } from 'zod';
import { OperatorError } from '../local-services/data-folder';
import { ROOM_STORIES, ROOMS, type UpworkStory } from '../upwork/documents/conversations.documents';
import { FIRST_SEARCH_CURSOR, SEARCH_JOBS } from '../upwork/documents/jobs.documents';
import { VENDOR_PROPOSALS } from '../upwork/documents/proposals.documents';
import type { UpworkAnswer, UpworkDocument } from '../upwork/documents/upwork-document';
import { parseResponse, readAnswer } from '../upwork/upwork-answers';
import { listExpectedParts, listTypeNames, readSchemaParts } from '../upwork/schema/upwork-schema';
import { UpworkError } from '../upwork/upwork.error';
import { loadEnvironmentFile, parseOptions, print } from './command-line';
import { type Finding, formatFinding, formatSummary, ok, problem, warning } from './doctor/finding';

const USAGE = `Usage: npm run upwork:probe -- [--organization ID]

Compares Upwork with what this program expects of it: its schema, the first page of a search, the size of pages, the
form of instants, the order of messages. It only reads, at most five calls a second, and prints no content.

The access token comes from UPWORK_ACCESS_TOKEN or, without it, from the standard input. With UPWORK_REFRESH_TOKEN,
UPWORK_CLIENT_ID and UPWORK_CLIENT_SECRET it also refreshes that token twice; the connection must then be authorized
again. UPWORK_API_URL and UPWORK_TOKEN_URL replace the addresses of Upwork.

Exit codes: 0 nothing differs, 1 something differs or the probe failed.`;

const API_URL = 'https://api.upwork.com/graphql';
const TOKEN_URL = 'https://www.upwork.com/api/v3/oauth2/token';
const PAUSE_MS = 200;
const TIMEOUT_MS = 15_000;

const CURE = 'adapt src/upwork/schema/schema.graphql or the documents of src/upwork/documents';

/** Calls Upwork directly: an operator's probe needs neither database nor Redis. */
class ProbeClient {
  constructor(
    private readonly url: string,
    private readonly headers: Readonly<Record<string, string>>,
  ) {}

  async call<Schema extends z.ZodType>(
    document: UpworkDocument<Schema>,
    variables: object,
  ): Promise<UpworkAnswer<z.output<Schema>>> {
    await sleep(PAUSE_MS);
    const response = await fetch(this.url, {
      method: 'POST',
      headers: this.headers,
      body: JSON.stringify({ operationName: document.name, query: document.text, variables }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return readAnswer(document, parseResponse(document.name, response, await response.text()));
  }

  /** Returns why a call is refused; null when it works. @throws UpworkError for a void token and other failures */
  async findRefusal(document: UpworkDocument<z.ZodType>, variables: object): Promise<string | null> {
    try {
      await this.call(document, variables);
      return null;
    } catch (error) {
      if (!(error instanceof UpworkError) || error.kind === 'refused') throw error;
      return error.message;
    }
  }
}

/** The checks, in the order in which they are printed. */
const CHECKS: readonly ((client: ProbeClient) => Promise<Finding[]>)[] = [
  checkSchema,
  checkFirstPage,
  checkProposalPages,
  checkConversations,
  checkActiveSince,
  checkFixedPrices,
];

/** Compares every type of the schema. Further fields of Upwork are no difference. */
async function checkSchema(client: ProbeClient): Promise<Finding[]> {
  const names = listTypeNames();
  const [expected, seen] = [
    listExpectedParts(names),
    await readSchemaParts(names, async (document) => (await client.call(document, {})).data),
  ];
  const missing = [...expected].filter(([part]) => !seen.has(part) && !isInMissingType(part, seen));
  const changed = [...expected].filter(([part, type]) => seen.has(part) && seen.get(part) !== type);
  const required = [...seen].filter(([part, type]) => part.endsWith(':)') && type.endsWith('!') && !expected.has(part));
  const differences = [
    ...missing.map(([part]) => `${part} is missing`),
    ...changed.map(([part, type]) => `${part} is ${seen.get(part)} instead of ${type}`),
    ...required.filter(([part]) => expected.has(part.replace(/\(.*/, ''))).map(([part]) => `${part} is required`),
  ];
  if (differences.length === 0) return [ok('schema', `${expected.size} parts are as expected`)];
  return differences.map((text) => problem('schema', text, CURE));
}

/** A missing type is one difference, not one for each field. */
function isInMissingType(part: string, seen: ReadonlyMap<string, string>): boolean {
  const [typeName] = part.split('.', 1);
  return typeName !== part && !seen.has(typeName!);
}

async function checkFirstPage(client: ProbeClient): Promise<Finding[]> {
  const findRefusal = (after: string | null | undefined) =>
    client.findRefusal(SEARCH_JOBS, { filter: { searchExpression_eq: 'sql', pagination_eq: { first: 10, after } } });
  const [withNull, without, withZero] = [
    await findRefusal(null),
    await findRefusal(undefined),
    await findRefusal(FIRST_SEARCH_CURSOR),
  ];
  return [
    ok('search', `the first page with after null: ${withNull ?? 'works'}; without after: ${without ?? 'works'}`),
    expectWork('search', `the first page with after "${FIRST_SEARCH_CURSOR}"`, withZero),
  ];
}

async function checkProposalPages(client: ProbeClient): Promise<Finding[]> {
  const findRefusal = (first: number) =>
    client.findRefusal(VENDOR_PROPOSALS, { status: 'Accepted', pagination: { first } });
  const small = await findRefusal(20);
  const others = [`40: ${(await findRefusal(40)) ?? 'works'}`, `50: ${(await findRefusal(50)) ?? 'works'}`];
  return [expectWork('proposals', 'a page of 20', small), ok('proposals', `pages of ${others.join('; of ')}`)];
}

/** Reads the newest room with its stories. Prints forms and words, no content. */
async function checkConversations(client: ProbeClient): Promise<Finding[]> {
  const { roomList } = (await client.call(ROOMS, { filter: {}, pagination: { first: 10 } })).data;
  const room = roomList.nodes[0];
  if (!room) return [warning('messages', 'not checked: there is no room', 'use the key of a user with a conversation')];
  const filter = { roomId_eq: room.id, storyFilter: { pagination: { first: 50 } } };
  const { nodes: stories, unreadable } = (await client.call(ROOM_STORIES, { filter })).data.roomStories;
  const objectTypes = stories.flatMap(({ attachments }) => (attachments ?? []).map((each) => each?.objectType ?? '?'));
  return [
    expectNone('messages', 'rooms that cannot be read', roomList.unreadable),
    expectNone('messages', 'stories that cannot be read, such as those of deleted users', unreadable),
    expectNone('messages', 'stories that are older than the next', countMisplaced(stories)),
    ok('messages', `types of files: ${[...new Set(objectTypes)].join(', ') || 'none seen'}`),
  ];
}

function countMisplaced(stories: readonly UpworkStory[]): number {
  return stories.filter((story, index) => story.createdDateTime < (stories[index + 1]?.createdDateTime ?? 0)).length;
}

async function checkActiveSince(client: ProbeClient): Promise<Finding[]> {
  const since = new Date(Date.now() - 86_400_000);
  const findRefusal = (activeSince_eq: string) =>
    client.findRefusal(ROOMS, { filter: { activeSince_eq }, pagination: { first: 10 } });
  return [
    expectWork('rooms', 'activeSince_eq in ISO 8601', await findRefusal(since.toISOString())),
    ok('rooms', `activeSince_eq in milliseconds: ${(await findRefusal(String(since.getTime()))) ?? 'works'}`),
  ];
}

async function checkFixedPrices(client: ProbeClient): Promise<Finding[]> {
  const filter = { jobType_eq: 'FIXED', pagination_eq: { first: 50, after: FIRST_SEARCH_CURSOR } };
  const { nodes } = (await client.call(SEARCH_JOBS, { filter })).data.marketplaceJobPostingsSearch;
  return [
    expectNone(
      'fixed price',
      `of ${nodes.length} jobs with hourlyBudgetType`,
      nodes.filter((job) => job.hourlyBudgetType).length,
    ),
  ];
}

function expectWork(subject: string, what: string, refusal: string | null): Finding {
  return refusal === null ? ok(subject, `${what}: works`) : problem(subject, `${what}: ${refusal}`, CURE);
}

function expectNone(subject: string, what: string, count: number): Finding {
  return count === 0 ? ok(subject, `0 ${what}`) : problem(subject, `${count} ${what}`, CURE);
}

/** Asks for a refresh with a void token, and twice with one token. The answers are not printed, only their codes. */
async function checkRefresh(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const { UPWORK_REFRESH_TOKEN: token, UPWORK_CLIENT_ID: id, UPWORK_CLIENT_SECRET: secret } = env;
  if (!token || !id || !secret) return [ok('refresh', 'not checked: UPWORK_REFRESH_TOKEN is not set')];
  const refresh = async (refresh_token: string): Promise<string> => {
    await sleep(PAUSE_MS);
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token,
      client_id: id,
      client_secret: secret,
    });
    const response = await fetch(env['UPWORK_TOKEN_URL'] || TOKEN_URL, { method: 'POST', body });
    const answer = (await response.json().catch(() => ({}))) as { error?: unknown };
    return `${response.status}${typeof answer.error === 'string' ? ` ${answer.error.replace(/[^\w.-]/g, '')}` : ''}`;
  };
  const voidAnswer = await refresh(`${token}-void`);
  const [first, second] = [await refresh(token), await refresh(token)];
  const detail = `a void token: ${voidAnswer}; one token twice: ${first}, ${second}`;
  const isExpected = voidAnswer === '400 invalid_grant' && first === '200';
  return [isExpected ? ok('refresh', detail) : problem('refresh', detail, 'adapt src/upwork/upwork-oauth.service.ts')];
}

/** Runs `npm run upwork:probe`. Returns the exit code. */
async function main(): Promise<number> {
  const { values } = parseOptions({
    options: { organization: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) {
    print(USAGE);
    return 0;
  }
  loadEnvironmentFile();
  const token = (process.env['UPWORK_ACCESS_TOKEN'] || (await readText(process.stdin))).trim();
  if (!/^[\x21-\x7e]+$/.test(token)) throw new OperatorError('There is no access token. See --help.');
  const client = new ProbeClient(process.env['UPWORK_API_URL'] || API_URL, {
    'content-type': 'application/json',
    accept: 'application/json',
    'user-agent': 'Gigvault',
    authorization: `Bearer ${token}`,
    ...(values.organization !== undefined && { 'x-upwork-api-tenantid': values.organization }),
  });
  return printFindings(client);
}

async function printFindings(client: ProbeClient): Promise<number> {
  const all: Finding[] = [];
  for (const check of [...CHECKS, () => checkRefresh(process.env)]) {
    const findings = await check(client).catch((error: unknown) => [describeFailure(error)]);
    for (const finding of findings) print(formatFinding(finding));
    all.push(...findings);
  }
  print('Not checked: PKCE, which needs a browser, and whether an edited message counts as activity of its room.');
  print(formatSummary(all));
  return all.some(({ level }) => level === 'problem') ? 1 : 0;
}

function describeFailure(error: unknown): Finding {
  const detail = error instanceof UpworkError ? error.message : 'Upwork could not be reached';
  return problem('upwork', detail, 'check the token, its permissions and the network');
}

main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof OperatorError ? error.message : 'The probe failed.'}\n`);
    process.exitCode = 1;
  },
);
