import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  countSignatures,
  cosign,
  createNoteKey,
  type NoteKey,
  readNote,
  readVerifierKey,
  WITNESS_KEY,
} from './c2sp-notes';
import { followConsistency, sha256 } from './tree-proofs';

/** The newest head of a log. */
interface KnownHead {
  readonly size: number;
  readonly root: string;
}

/** The answer of a witness. */
interface Answer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
}

/** A witness by the text of C2SP tlog-witness, without code of the product, on a port of its own. */
export class C2spWitness {
  readonly heads = new Map<string, KnownHead>();
  readonly requests: string[] = [];
  /** Replaces the next answers. */
  lie: ((honest: Answer, body: string) => Answer | 'silence' | Promise<Answer>) | undefined;
  private readonly logs = new Map<string, NoteKey>();
  private readonly server: Server = createServer((request, response) => void this.handle(request, response));

  constructor(
    name: string,
    readonly key = createNoteKey(name, WITNESS_KEY),
  ) {}

  async start(port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(port, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The pair of AUDIT_WITNESSES. */
  get setting(): string {
    return `${this.key.text} ${this.url}`;
  }

  trust(verifierKey: string): void {
    const key = readVerifierKey(verifierKey);
    this.logs.set(key.name, key);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    this.requests.push(body);
    const isKnown = request.method === 'POST' && request.url === '/add-checkpoint';
    const honest = isKnown ? this.add(body) : { status: 404, body: '' };
    const answer = (await this.lie?.(honest, body)) ?? honest;
    if (answer === 'silence') return void response.destroy();
    response.writeHead(answer.status, answer.type === undefined ? {} : { 'content-type': answer.type });
    response.end(answer.body);
  }

  private add(body: string): Answer {
    const at = body.indexOf('\n\n');
    const [old = '', ...proof] = body.slice(0, at).split('\n');
    const note = body.slice(at + 2);
    const oldSize = /^old (?:0|[1-9]\d*)$/.test(old) ? Number(old.slice(4)) : NaN;
    if (at < 0 || Number.isNaN(oldSize) || proof.length > 63) return { status: 400, body: '' };
    const [origin = '', sizeText, root = ''] = readNote(note).text.split('\n');
    const size = Number(sizeText);
    const key = this.logs.get(origin);
    if (!key) return { status: 404, body: '' };
    try {
      if (countSignatures(note, key) === 0) return { status: 403, body: '' };
    } catch {
      return { status: 403, body: '' };
    }
    if (oldSize > size) return { status: 400, body: '' };
    const known = this.heads.get(origin) ?? { size: 0, root: sha256().toString('base64') };
    if (known.size !== oldSize) return { status: 409, body: `${known.size}\n`, type: 'text/x.tlog.size' };
    if (!isExtended(known, { size, root }, proof)) return { status: 422, body: '' };
    this.heads.set(origin, { size, root });
    return { status: 200, body: cosign(readNote(note).text, this.key) };
  }
}

function isExtended(older: KnownHead, newer: KnownHead, proof: readonly string[]): boolean {
  if (older.size === newer.size) return older.root === newer.root && proof.length === 0;
  if (older.size === 0) return proof.length === 0;
  try {
    const hashes = proof.map((each) => Buffer.from(each, 'base64'));
    const [first, second] = followConsistency(older.size, newer.size, Buffer.from(older.root, 'base64'), hashes);
    return first.toString('base64') === older.root && second.toString('base64') === newer.root;
  } catch {
    return false;
  }
}
