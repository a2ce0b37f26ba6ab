import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { FakeFaults, goWrong } from './fake-faults';
import { FakeGrants } from './fake-grants';

/**
 * Upwork on this machine, over real HTTP: OAuth 2 with PKCE and rotating refresh tokens, and faults on command. It keeps
 * everything in memory. Upwork itself has no sandbox and advises to stub.
 */
export class FakeUpwork {
  readonly grants = new FakeGrants('fake-client', 'fake-secret');
  readonly faults = new FakeFaults();
  /** Every answer of the token endpoint takes so long. */
  delayMs = 0;
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
    response.writeHead(404).end();
  }

  private async token(body: string, response: ServerResponse): Promise<void> {
    const work = () => this.grants.answer(new URLSearchParams(body));
    const fault = this.faults.take('token');
    if (fault) return goWrong(fault, response, work);
    const { status, body: answer } = work();
    if (this.delayMs > 0) await sleep(this.delayMs);
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
