import { once } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import { connect, isIP, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { connect as connectTls } from 'node:tls';

/** One row of a log as it is sent. `leafIndex` and `entry` together identify it: a receiver can drop repeats. */
export interface StreamLine {
  /** Index of the row in the tree. */
  readonly leafIndex: number;
  /** Entry of the row in the tree, in base64. */
  readonly entry: string;
  readonly log: string | null;
  readonly at: string;
  readonly success?: unknown;
}

/** A receiver of both logs. */
export interface StreamTarget {
  /** Returns the place of the last line that the target has; undefined when it cannot tell. */
  findLast(): Promise<Pick<StreamLine, 'leafIndex' | 'entry'> | undefined>;
  /** Sends lines. @throws Error when it is not known that all of them arrived */
  send(lines: readonly StreamLine[]): Promise<void>;
}

/** Creates the target of AUDIT_STREAM. @param hostname the name of this installation in syslog messages */
export function createStreamTarget(address: string, hostname: string): StreamTarget {
  return address.startsWith('file:') ? new FileTarget(address.slice(5)) : new SyslogTarget(new URL(address), hostname);
}

const LINE_FEED = 10;
/** How each line begins. */
const LINE_START = '{"leafIndex":';
const READ_BYTES = 65_536;

/** A file of JSON lines, which only grows. Another program may rotate it. */
class FileTarget implements StreamTarget {
  constructor(private readonly path: string) {}

  /** Reads the last line. Removes a part of one. @throws Error for a part of another program's line */
  async findLast(): Promise<StreamLine | undefined> {
    const file = await open(this.path, 'r+').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    if (!file) return undefined;
    try {
      const { size } = await file.stat();
      const end = (await findLineFeed(file, size)) + 1;
      if (end < size) await this.removePart(file, end);
      const start = end === 0 ? 0 : (await findLineFeed(file, end - 1)) + 1;
      const { buffer } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
      return readLine(buffer.toString());
    } finally {
      await file.close();
    }
  }

  private async removePart(file: FileHandle, end: number): Promise<void> {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LINE_START.length), 0, LINE_START.length, end);
    if (!LINE_START.startsWith(buffer.toString('utf8', 0, bytesRead)))
      throw new Error(`${this.path} ends with a line of another program: AUDIT_STREAM needs a file of its own`);
    await file.truncate(end);
  }

  async send(lines: readonly StreamLine[]): Promise<void> {
    const file = await open(this.path, 'a', 0o600);
    try {
      await file.appendFile(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

/** Returns the position of the last line feed before a position, -1 without one. */
async function findLineFeed(file: FileHandle, before: number): Promise<number> {
  for (let end = before; end > 0; end -= READ_BYTES) {
    const start = Math.max(0, end - READ_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
    const found = buffer.subarray(0, bytesRead).lastIndexOf(LINE_FEED);
    if (found >= 0) return start + found;
  }
  return -1;
}

/** Returns the row of a line; undefined for a line of another program. */
function readLine(text: string): StreamLine | undefined {
  try {
    const line = JSON.parse(text) as StreamLine;
    return Number.isSafeInteger(line.leafIndex) && typeof line.entry === 'string' ? line : undefined;
  } catch {
    return undefined;
  }
}

/** Longest silence of a receiver. */
const TIMEOUT_MS = 30_000;

/** The facility "log audit", with the severities "warning" and "informational". @see RFC 5424, section 6.2.1 */
const FAILED = 13 * 8 + 4;
const SUCCEEDED = 13 * 8 + 6;

/** A syslog server. Messages are those of RFC 5424 behind their length: RFC 6587 over TCP, RFC 5425 over TLS. */
class SyslogTarget implements StreamTarget {
  constructor(
    private readonly address: URL,
    private readonly hostname: string,
  ) {}

  findLast(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  /** Syslog has no acknowledgements: the receiver has read everything when it closes the connection after the end. */
  async send(lines: readonly StreamLine[]): Promise<void> {
    const socket = this.connect();
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`${this.address.host} does not answer`)));
    const closed = once(socket, 'close');
    closed.catch(() => undefined);
    socket.resume();
    await pipeline(Readable.from(lines.map((line) => this.format(line))), socket);
    await closed;
    if (socket.errored) throw socket.errored;
  }

  private connect(): Socket {
    const host = this.address.hostname.replace(/^\[|\]$/g, '');
    const port = Number(this.address.port);
    if (this.address.protocol === 'syslog+tcp:') return connect({ host, port });
    return connectTls({ host, port, ...(isIP(host) === 0 && { servername: host }) });
  }

  private format(line: StreamLine): string {
    const priority = line.success === false ? FAILED : SUCCEEDED;
    const header = `<${priority}>1 ${line.at} ${this.hostname} gigvault - ${line.log ?? '-'} -`;
    const message = `${header} ${JSON.stringify(line)}`;
    return `${Buffer.byteLength(message)} ${message}`;
  }
}
