import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';

/** What the attacker knows. */
export interface Target {
  readonly port: number;
  readonly email: string;
  readonly password: string;
  /** A receiver that never responds. */
  readonly deadReceiver: string;
}

/** A kind of request that is repeated; returns the status of the response, 0 for none. */
export interface Attack {
  readonly name: string;
  /** The number of concurrent requests. */
  readonly concurrency: number;
  send(): Promise<number>;
}

/** Differs from the user's address, so that limits for an address do not count both; any 127.* is this machine. */
const ADDRESS = '127.0.0.2';

const MAX_HALF_OPEN = 500;
const MEBIBYTE = 1024 * 1024;

interface Call {
  readonly method?: string;
  readonly path: string;
  readonly type?: string;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What one account, and connections without one, send at full rate. */
export class Attacks {
  private token = '';
  private readonly halfOpen: Socket[] = [];
  private webhookId: number | undefined;
  private serial = 0;

  constructor(private readonly target: Target) {}

  list(): Attack[] {
    const rows = (count: number) =>
      Array.from({ length: count }, (_, i) =>
        JSON.stringify({ title: `Row ${i}`, description: 'words '.repeat(50) }),
      ).join('\n');
    const [many, few] = [rows(4_000), rows(1_000)];
    const columns = `${'a,'.repeat(500_000)}a\n1\n`;
    const unknownNames = JSON.stringify({
      email: 'a@example.com',
      password: 'x',
      ...Object.fromEntries(Array.from({ length: 80_000 }, (_, i) => [i.toString(36), 1])),
    });
    const giant = Buffer.from(`[${'{"a":1},'.repeat((16 * MEBIBYTE) / 8)}{}]`);
    const json = 'application/json';
    return [
      {
        name: 'keyed import',
        concurrency: 2,
        send: () =>
          this.sendOwnRequests({
            path: '/v1/jobs/import',
            type: 'application/x-ndjson',
            body: many,
            headers: { 'idempotency-key': `key-${(this.serial += 1)}` },
          }),
      },
      {
        name: 'import',
        concurrency: 2,
        send: () => this.sendOwnRequests({ path: '/v1/jobs/import', type: 'application/x-ndjson', body: few }),
      },
      {
        name: 'columns',
        concurrency: 1,
        send: () => this.sendOwnRequests({ path: '/v1/jobs/import', type: 'text/csv', body: columns }),
      },
      {
        name: 'search',
        concurrency: 3,
        send: () =>
          this.sendOwnRequests({
            method: 'GET',
            path: `/v1/jobs?limit=100&q=${'words%20OR%20row%20'.repeat(8)}${(this.serial += 1)}`,
          }),
      },
      {
        name: 'generation',
        concurrency: 3,
        send: () =>
          this.sendOwnRequests({
            path: '/v1/ai/generations',
            type: json,
            body: '{"type":"cover_letter","instructions":"Say hello."}',
          }),
      },
      { name: 'webhook test', concurrency: 2, send: () => this.testWebhook() },
      { name: 'sign-in', concurrency: 3, send: () => this.signIn() },
      { name: 'half-open socket', concurrency: 1, send: () => this.openHalfConnection() },
      {
        name: 'giant body',
        concurrency: 2,
        send: () => this.call({ path: '/v1/jobs/import', type: 'application/merge-patch+json', body: giant }),
      },
      {
        name: 'unknown names',
        concurrency: 1,
        send: () => this.call({ path: '/v1/auth/login', type: json, body: unknownNames }),
      },
    ];
  }

  /** Signs in to the attacker's own account. */
  async signIn(): Promise<number> {
    const { email, password } = this.target;
    const { status, text } = await this.exchange({
      path: '/v1/auth/login',
      type: 'application/json',
      body: JSON.stringify({ email, password }),
    });
    if (status === 200) this.token = (JSON.parse(text) as { accessToken: string }).accessToken;
    return status;
  }

  end(): void {
    for (const socket of this.halfOpen) socket.destroy();
  }

  private async testWebhook(): Promise<number> {
    if (this.webhookId !== undefined) return this.sendOwnRequests({ path: `/v1/webhooks/${this.webhookId}/test` });
    const { status, text } = await this.exchange(
      this.sendSigned({
        path: '/v1/webhooks',
        type: 'application/json',
        body: JSON.stringify({ url: this.target.deadReceiver }),
      }),
    );
    if (status === 201) this.webhookId = (JSON.parse(text) as { id: number }).id;
    return status;
  }

  /** Opens a socket with half a request, which never closes its side. */
  private openHalfConnection(): Promise<number> {
    if (this.halfOpen.length >= MAX_HALF_OPEN) this.halfOpen.shift()?.destroy();
    return new Promise((done) => {
      const socket = connect({ port: this.target.port, host: '127.0.0.1', localAddress: ADDRESS, allowHalfOpen: true });
      socket.once('connect', () => socket.write('POST /v1/auth/login HTTP/1.1\r\nHost: a\r\nX-', () => done(1)));
      socket.on('error', () => done(0));
      this.halfOpen.push(socket);
    });
  }

  private sendOwnRequests(call: Call): Promise<number> {
    return this.call(this.sendSigned(call));
  }

  private sendSigned(call: Call): Call {
    return { ...call, headers: { authorization: `Bearer ${this.token}`, ...call.headers } };
  }

  private async call(call: Call): Promise<number> {
    return (await this.exchange(call)).status;
  }

  /** A response before the whole body is sent counts too, as does a connection that is closed meanwhile. */
  private exchange({
    method = 'POST',
    path,
    type,
    body,
    headers = {},
  }: Call): Promise<{ status: number; text: string }> {
    return new Promise((done) => {
      const request = httpRequest({
        host: '127.0.0.1',
        port: this.target.port,
        localAddress: ADDRESS,
        method,
        path,
        headers: {
          ...headers,
          ...(type !== undefined && { 'content-type': type }),
          ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
        },
      });
      request.once('error', () => done({ status: 0, text: '' }));
      request.once('response', (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text = (text + chunk.toString()).slice(0, 10_000)));
        response.once('close', () => done({ status: response.statusCode ?? 0, text }));
      });
      request.end(body);
    });
  }
}
