import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** An email that the sink has accepted. */
export interface AcceptedEmail {
  readonly from: string;
  readonly to: readonly string[];
  /** Headers and text, without dot stuffing. */
  readonly data: string;
}

/**
 * What the sink does instead of accepting: sends this reply, stays silent for 'hang', closes the connection for 'drop'.
 */
export type ErrorReply = string;

/** The maximum length of a line in octets, with its CRLF. @see RFC 5321 section 4.5.3.1.6 */
const MAX_LINE = 1_000;

const PATH = /^(?:FROM|TO):<([^<>\s]*)>(?: [A-Z0-9-]+(?:=\S+)?)*$/i;

/** An SMTP server (RFC 5321) on a local port that keeps accepted emails and replies as a test wants. */
export class SmtpSink {
  readonly accepted: AcceptedEmail[] = [];
  /** The replies to RCPT TO, by recipient. */
  readonly atRecipient = new Map<string, ErrorReply>();
  /** The replies after the message, by recipient. */
  readonly atData = new Map<string, ErrorReply>();
  /** The reply instead of the greeting. */
  atGreeting: ErrorReply | undefined;
  /** Resets each new connection. The port stays taken, since another process could get a free one. */
  isDown = false;
  /** The number of connections so far. */
  connections = 0;
  private readonly sockets = new Set<Socket>();
  private readonly waiting = new Set<() => void>();
  private readonly server: Server = createServer((socket) => this.serve(socket));

  async start(): Promise<this> {
    await once(this.server.listen(0, '127.0.0.1'), 'listening');
    return this;
  }

  get url(): string {
    return `smtp://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Ends all connections, and each new one at once. */
  takeDown(): void {
    this.isDown = true;
    for (const socket of this.sockets) socket.destroy();
  }

  /** Waits for this number of connections. */
  async waitForConnections(count: number): Promise<void> {
    while (this.connections < count) await new Promise<void>((done) => this.waiting.add(done));
  }

  async stop(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private serve(socket: Socket): void {
    if (this.isDown) return void socket.resetAndDestroy();
    this.connections += 1;
    for (const done of this.waiting) done();
    this.waiting.clear();
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket)).on('error', () => undefined);
    const session = new SmtpSession(this, (reply) => act(socket, reply));
    act(socket, this.atGreeting ?? '220 sink.test ESMTP');
    let rest = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) session.handleLine(line);
    });
  }
}

/** One connection, as a state machine. */
class SmtpSession {
  private hasGreeted = false;
  private from: string | undefined;
  private to: string[] = [];
  private data: string[] | undefined;

  constructor(
    private readonly sink: SmtpSink,
    private readonly reply: (reply: ErrorReply) => void,
  ) {}

  handleLine(line: string): void {
    if (line.length + 2 > MAX_LINE || /[\r\n\0]/.test(line)) return this.reply('500 Line too long or malformed');
    if (this.data) return this.handleData(this.data, line);
    const [verb = '', ...words] = line.split(' ');
    const rest = words.join(' ');
    switch (verb.toUpperCase()) {
      case 'EHLO':
      case 'HELO':
        return this.greet(rest);
      case 'MAIL':
        return this.handleSender(rest);
      case 'RCPT':
        return this.handleRecipient(rest);
      case 'DATA':
        return this.beginData(rest);
      case 'RSET':
        this.reset();
        return this.reply('250 OK');
      case 'NOOP':
        return this.reply('250 OK');
      case 'QUIT':
        this.reply('221 Bye');
        return this.reply('drop');
      default:
        return this.reply('500 Unknown command');
    }
  }

  private greet(name: string): void {
    if (name === '') return this.reply('501 Name missing');
    this.hasGreeted = true;
    this.reset();
    this.reply('250 sink.test');
  }

  private handleSender(rest: string): void {
    const path = PATH.exec(rest)?.[1];
    if (!this.hasGreeted || this.from !== undefined) return this.reply('503 Bad sequence');
    if (path === undefined || !/^FROM:/i.test(rest)) return this.reply('501 Malformed path');
    this.from = path;
    this.reply('250 OK');
  }

  private handleRecipient(rest: string): void {
    const path = PATH.exec(rest)?.[1];
    if (this.from === undefined) return this.reply('503 Bad sequence');
    if (!path?.includes('@') || !/^TO:/i.test(rest)) return this.reply('501 Malformed path');
    const misbehaviour = this.sink.atRecipient.get(path);
    if (misbehaviour) return this.reply(misbehaviour);
    this.to.push(path);
    this.reply('250 OK');
  }

  private beginData(rest: string): void {
    if (rest !== '') return this.reply('501 No parameters');
    if (this.to.length === 0)
      return this.reply(this.from === undefined ? '503 Bad sequence' : '554 No valid recipients');
    this.data = [];
    this.reply('354 End with a dot');
  }

  private handleData(data: string[], line: string): void {
    if (line !== '.') {
      data.push(line.startsWith('.') ? line.slice(1) : line);
      return;
    }
    const misbehaviour = this.to.map((to) => this.sink.atData.get(to)).find((reply) => reply !== undefined);
    if (!misbehaviour) this.sink.accepted.push({ from: this.from ?? '', to: this.to, data: data.join('\r\n') });
    this.reset();
    this.reply(misbehaviour ?? '250 Accepted');
  }

  private reset(): void {
    this.from = undefined;
    this.to = [];
    this.data = undefined;
  }
}

function act(socket: Socket, reply: ErrorReply): void {
  if (reply === 'hang') return;
  if (reply === 'drop') socket.end();
  else socket.write(`${reply}\r\n`);
}
