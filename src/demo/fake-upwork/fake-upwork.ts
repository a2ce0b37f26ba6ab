import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FakeCase } from './cases/fake-case';
import { FakeCaseQueue } from './fake-cases';
import { runCommand } from './fake-commands';
import { BrokenNodes, FakeFaults, simulateFault } from './fake-faults';
import { FakeGrants } from './fake-grants';
import { FakeMarketplace } from './fake-marketplace';
import { FakeQueries } from './fake-queries';
import {
  listRootFields,
  runDocument,
  type FakeAnswer,
  type FakeData,
  type FakeError,
  type GraphqlRequest,
} from './fake-schema';

/** A call to the GraphQL endpoint, as the fake received it. */
export interface FakeCall {
  readonly at: number;
  readonly operation: string;
  readonly variables: Readonly<Record<string, unknown>>;
  /** The organization in the header. */
  readonly tenant: string | undefined;
}

/**
 * A fake Upwork over HTTP: OAuth 2 with rotating refresh tokens, every document that fits the schema, rate limits, and
 * faults and cases on command. All data is in memory. Upwork has no sandbox and recommends stubs.
 */
export class FakeUpwork {
  readonly grants = new FakeGrants('fake-client', 'fake-secret');
  readonly faults = new FakeFaults();
  readonly broken = new BrokenNodes();
  readonly marketplace = new FakeMarketplace();
  readonly cases = new FakeCaseQueue();
  readonly calls: FakeCall[] = [];
  /** Calls per second; further ones get 429. */
  limitPerSecond = 10;
  /** One list in this number has an extra node that cannot be read, and an error beside its data; 0 disables it. */
  partialEvery = 50;
  /** Changes or delays a GraphQL response. */
  transformResponse: (
    call: { operation: string; user: string; variables: Record<string, unknown> },
    answer: FakeAnswer,
  ) => unknown = (_, answer) => answer;
  /** Delay of every response of the token endpoint. */
  tokenDelayMs = 0;
  /** Awaited before each response of the token endpoint, except faults. */
  beforeTokenResponse: (() => Promise<void>) | undefined;
  private listsSincePartial = 0;
  private readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => {
      this.serve(request, response).catch((error: Error) => response.writeHead(400).end(error.message));
    });
  }

  /** Listens on 127.0.0.1; port 0 selects a free one. */
  async start(port = 0): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
    return this;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as { port: number }).port}`;
  }

  /** The settings that point a server at the fake. */
  get settings(): Record<string, string> {
    return {
      UPWORK_CLIENT_ID: this.grants.clientId,
      UPWORK_CLIENT_SECRET: this.grants.clientSecret,
      UPWORK_AUTHORIZE_URL: `${this.url}/ab/account-security/oauth2/authorize`,
      UPWORK_TOKEN_URL: `${this.url}/api/v3/oauth2/token`,
      UPWORK_API_URL: `${this.url}/graphql`,
      // A demo or a test synchronises repeatedly.
      UPWORK_SYNC_INTERVAL_SECONDS: '0',
    };
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const route = `${request.method} ${url.pathname}`;
    if (route === 'GET /ab/account-security/oauth2/authorize') {
      response.writeHead(302, { location: this.grants.consent(url.searchParams) }).end();
      return;
    }
    if (route === 'POST /api/v3/oauth2/token') return this.serveToken(await readText(request), response);
    if (route === 'POST /graphql') return this.serveGraphql(request, response);
    if (route.startsWith('POST /control/'))
      return sendJson(response, 200, runCommand(this, url.pathname.slice(9), await readText(request)));
    response.writeHead(404).end();
  }

  private async serveGraphql(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = JSON.parse(await readText(request)) as GraphqlRequest;
    this.recordCall(call, request.headers['x-upwork-api-tenantid']);
    const fault = this.faults.take('graphql') ?? (this.isOverLimit() ? '429' : undefined);
    const user = this.grants.findUser(request.headers.authorization?.replace('Bearer ', '') ?? '');
    const work = () => (user === undefined ? undefined : this.answer(call, user));
    if (fault) return simulateFault(fault, response, work, this.faults.retryAfter);
    const failure = this.cases.takeAny('graphql');
    if (failure) return sendCase(response, failure);
    if (user === undefined) return sendJson(response, 401, { message: 'Authentication failed' });
    sendJson(response, 200, await this.answer(call, user));
  }

  private recordCall({ operationName: operation, variables = {} }: GraphqlRequest, tenant?: string | string[]): void {
    this.calls.push({ at: Date.now(), operation, variables, tenant: tenant?.toString() });
  }

  private isOverLimit(): boolean {
    const since = Date.now() - 1_000;
    return this.calls.filter(({ at }) => at > since).length > this.limitPerSecond;
  }

  private async answer(call: GraphqlRequest, user: string): Promise<unknown> {
    const { data, ...rest } = await this.execute(call, user);
    if (data === null) return { data, ...rest };
    const { operationName: operation, variables = {} } = call;
    return this.transformResponse({ operation, user, variables }, { data: this.broken.apply(data), ...rest });
  }

  /** Runs a document over the data of a case or of the marketplace, so it gets only the fields that it selects. */
  private async execute(call: GraphqlRequest, user: string): Promise<FakeAnswer<FakeData | null>> {
    const served = this.cases.takeFor(listRootFields(call.query));
    if (!served) return runDocument(call, new FakeQueries(this.marketplace, user, () => this.takePartial()));
    const { data: root, errors: reported = [] } = served.body as { data: object; errors?: FakeError[] };
    const { data, errors = [] } = await runDocument(call, root);
    const all = [...reported, ...errors];
    return { data, ...(all.length > 0 && { errors: all }) };
  }

  private takePartial(): boolean {
    this.listsSincePartial += 1;
    if (this.partialEvery === 0 || this.listsSincePartial < this.partialEvery) return false;
    this.listsSincePartial = 0;
    return true;
  }

  private async serveToken(body: string, response: ServerResponse): Promise<void> {
    const work = () => this.grants.respond(new URLSearchParams(body));
    const fault = this.faults.take('token');
    if (fault) return simulateFault(fault, response, work, this.faults.retryAfter);
    const served = this.cases.takeAny('token');
    if (served) return sendCase(response, served);
    const { status, body: answer } = work();
    if (this.tokenDelayMs > 0) await sleep(this.tokenDelayMs);
    await this.beforeTokenResponse?.();
    sendJson(response, status, answer);
  }
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function sendCase(response: ServerResponse, { status, headers, body }: FakeCase): void {
  response.writeHead(status, headers).end(typeof body === 'string' || body === null ? body : JSON.stringify(body));
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
