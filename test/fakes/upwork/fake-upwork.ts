import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { FakeFaults, goWrong, type Fault } from './fake-faults';
import { FakeGrants } from './fake-grants';
import { FakeMarketplace } from './fake-marketplace';

/** An answer of GraphQL: the pages of its connections by their names. */
export interface FakeAnswer {
  data: Record<string, { edges: { node: Record<string, unknown> | null }[] }>;
  errors?: { message: string; path: (string | number)[] }[];
}

/**
 * Upwork on this machine, over real HTTP: OAuth 2 with PKCE and rotating refresh tokens, as much of its GraphQL as we use,
 * limits, and faults on command. It keeps everything in memory. Upwork itself has no sandbox and advises to stub.
 */
export class FakeUpwork {
  readonly grants = new FakeGrants('fake-client', 'fake-secret');
  readonly faults = new FakeFaults();
  readonly marketplace = new FakeMarketplace();
  /** Instants of the calls of GraphQL, and the tenants they named. */
  readonly calls: { at: number; operation: string; tenant: string | undefined }[] = [];
  /** More calls in one second are answered 429. */
  limitPerSecond = 10;
  /** Changes an answer of GraphQL before it is sent, or keeps it back. */
  alter: (
    call: { operation: string; user: string; variables: Record<string, unknown> },
    answer: FakeAnswer,
  ) => unknown = (_, answer) => answer;
  /** Every answer of the token endpoint takes so long. */
  delayMs = 0;
  /** Awaited before each answer of the token endpoint that is no fault. */
  beforeToken: (() => Promise<void>) | undefined;
  private readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => {
      this.serve(request, response).catch((error: Error) => response.writeHead(400).end(error.message));
    });
  }

  /** Listens on 127.0.0.1; 0 takes a free port. */
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

  /** What a server of ours needs to use the fake, by the names of the settings. */
  get settings(): Record<string, string> {
    return {
      UPWORK_CLIENT_ID: this.grants.clientId,
      UPWORK_CLIENT_SECRET: this.grants.clientSecret,
      UPWORK_AUTHORIZE_URL: `${this.url}/ab/account-security/oauth2/authorize`,
      UPWORK_TOKEN_URL: `${this.url}/api/v3/oauth2/token`,
      UPWORK_API_URL: `${this.url}/graphql`,
      // A demo or a test asks again at once.
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
    if (route === 'POST /api/v3/oauth2/token') return this.token(await textOf(request), response);
    if (route === 'POST /graphql') return this.graphql(request, response);
    if (route.startsWith('POST /control/'))
      return json(response, 200, this.control(url.pathname.slice(9), await textOf(request)));
    response.writeHead(404).end();
  }

  private async graphql(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { operationName, variables } = JSON.parse(await textOf(request)) as {
      operationName: string;
      variables: Record<string, unknown>;
    };
    const now = Date.now();
    this.calls.push({
      at: now,
      operation: operationName,
      tenant: request.headers['x-upwork-api-tenantid'] as string | undefined,
    });
    const fault = this.faults.take('graphql');
    if (fault) return goWrong(fault, response, () => undefined, this.faults.retryAfter);
    if (this.calls.filter(({ at }) => at > now - 1_000).length > this.limitPerSecond)
      return goWrong('429', response, () => undefined);
    const user = this.grants.userOf(request.headers.authorization?.replace('Bearer ', '') ?? '');
    if (user === undefined) return json(response, 401, { message: 'Unauthorized' });
    const answer = { data: this.marketplace.answer(operationName, user, variables) as FakeAnswer['data'] };
    json(response, 200, await this.alter({ operation: operationName, user, variables }, answer));
  }

  /** What a person would do on the site, by HTTP: for the demo and whoever tries things out. */
  private control(act: string, text: string): unknown {
    const body = (text === '' ? {} : JSON.parse(text)) as Record<string, string>;
    const { jobId = '', proposalId = '', message = '', user = 'freelancer' } = body;
    switch (act) {
      case 'hello':
        return { settings: this.settings };
      case 'publish':
        return this.marketplace.publish({
          title: body['title'] ?? 'A job',
          description: body['description'] ?? '',
          skills: body['skills']?.split(',') ?? [],
          hourly: ['40', '60'],
        });
      case 'submit':
        return this.marketplace.submit(user, jobId, body['coverLetter'] ?? '', body['bid'] ?? '50.00');
      case 'decide':
        return this.marketplace.decide(proposalId, body['status'] ?? 'Accepted') ?? {};
      case 'write':
        return this.marketplace.write(proposalId, body['author'] === 'freelancer' ? 'freelancer' : 'client', message);
      case 'fault':
        return (
          this.faults.next(
            body['door'] === 'graphql' ? 'graphql' : 'token',
            (body['fault'] ?? '500') as Fault,
            Number(body['times'] ?? 1),
          ) ?? {}
        );
      default:
        throw new Error(`no such act: ${act}`);
    }
  }

  private async token(body: string, response: ServerResponse): Promise<void> {
    const work = () => this.grants.answer(new URLSearchParams(body));
    const fault = this.faults.take('token');
    if (fault) return goWrong(fault, response, work, this.faults.retryAfter);
    const { status, body: answer } = work();
    if (this.delayMs > 0) await sleep(this.delayMs);
    await this.beforeToken?.();
    json(response, status, answer);
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
