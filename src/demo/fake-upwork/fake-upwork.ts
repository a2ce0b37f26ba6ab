import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { FakeFaults, simulateFault, type Fault } from './fake-faults';
import { FakeGrants } from './fake-grants';
import { FakeMarketplace } from './fake-marketplace';

/** A GraphQL response: the pages of its connections by name. */
export interface FakeAnswer {
  data: Record<string, { edges: { node: Record<string, unknown> | null }[] }>;
  errors?: { message: string; path: (string | number)[] }[];
}

/**
 * A fake Upwork over HTTP: OAuth 2 with PKCE and rotating refresh tokens, the GraphQL operations that Gigvault uses,
 * rate limits, and faults on command. All data is in memory. Upwork has no sandbox and recommends stubs.
 */
export class FakeUpwork {
  readonly grants = new FakeGrants('fake-client', 'fake-secret');
  readonly faults = new FakeFaults();
  readonly marketplace = new FakeMarketplace();
  /** GraphQL calls: time, operation and tenant header. */
  readonly calls: { at: number; operation: string; tenant: string | undefined }[] = [];
  /** Calls per second; further ones get 429. */
  limitPerSecond = 10;
  /** Changes or delays a GraphQL response. */
  transformResponse: (
    call: { operation: string; user: string; variables: Record<string, unknown> },
    answer: FakeAnswer,
  ) => unknown = (_, answer) => answer;
  /** Delay of every response of the token endpoint. */
  tokenDelayMs = 0;
  /** Awaited before each response of the token endpoint, except faults. */
  beforeTokenResponse: (() => Promise<void>) | undefined;
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
      return sendJson(response, 200, this.runCommand(url.pathname.slice(9), await readText(request)));
    response.writeHead(404).end();
  }

  private async serveGraphql(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { operationName, variables } = JSON.parse(await readText(request)) as {
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
    if (fault) return simulateFault(fault, response, () => undefined, this.faults.retryAfter);
    if (this.calls.filter(({ at }) => at > now - 1_000).length > this.limitPerSecond)
      return simulateFault('429', response, () => undefined);
    const user = this.grants.findUser(request.headers.authorization?.replace('Bearer ', '') ?? '');
    if (user === undefined) return sendJson(response, 401, { message: 'Unauthorized' });
    const answer = { data: this.marketplace.respond(operationName, user, variables) as FakeAnswer['data'] };
    sendJson(response, 200, await this.transformResponse({ operation: operationName, user, variables }, answer));
  }

  /** Runs an action of a person on the site, for the demo and for manual tests. */
  private runCommand(command: string, text: string): unknown {
    const body = (text === '' ? {} : JSON.parse(text)) as Record<string, string>;
    const { jobId = '', proposalId = '', message = '', user = 'freelancer' } = body;
    switch (command) {
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
        return this.marketplace.setStatus(proposalId, body['status'] ?? 'Accepted') ?? {};
      case 'write':
        return this.marketplace.writeMessage(
          proposalId,
          body['author'] === 'freelancer' ? 'freelancer' : 'client',
          message,
        );
      case 'fault':
        return (
          this.faults.schedule(
            body['endpoint'] === 'graphql' ? 'graphql' : 'token',
            (body['fault'] ?? '500') as Fault,
            Number(body['times'] ?? 1),
          ) ?? {}
        );
      default:
        throw new Error(`Unknown command: ${command}`);
    }
  }

  private async serveToken(body: string, response: ServerResponse): Promise<void> {
    const work = () => this.grants.respond(new URLSearchParams(body));
    const fault = this.faults.take('token');
    if (fault) return simulateFault(fault, response, work, this.faults.retryAfter);
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

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
