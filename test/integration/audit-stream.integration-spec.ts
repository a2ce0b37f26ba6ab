import { appendFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { LogStream } from '../../src/audit/export/log-stream';
import { createStreamTarget } from '../../src/audit/export/stream-targets';
import { AuditSealer } from '../../src/audit/seals/audit-sealer';
import { NoteSigner } from '../../src/audit/seals/signed-note';
import { RolePools } from '../../src/platform/database/driver/role-pools';
import { SystemDatabase } from '../../src/platform/database/system-database';
import { buildTestConfig } from '../support/test-config';
import { createTestDatabase, type TestDatabase } from '../support/test-database';
import { testServices } from '../support/test-services';

const SIGNER = new NoteSigner('gigvault.example.org/audit', Buffer.alloc(32, 7));

interface SentLine {
  readonly leafIndex: number;
  readonly entry: string;
  readonly id: number;
  readonly [field: string]: unknown;
}

/** A syslog server that reads frames as RFC 6587, section 3.4.1, says: the length, a space, the message. */
class SyslogReceiver {
  readonly messages: string[] = [];
  port = 0;
  private server: Server | undefined;

  async start(): Promise<this> {
    this.server = createServer((socket) => {
      const chunks: Buffer[] = [];
      socket.on('data', (chunk) => chunks.push(chunk));
      socket.on('end', () => {
        for (let rest = Buffer.concat(chunks); rest.length > 0;) {
          const space = rest.indexOf(' ');
          const end = space + 1 + Number(rest.subarray(0, space).toString());
          this.messages.push(rest.subarray(space + 1, end).toString());
          rest = rest.subarray(end);
        }
      });
    }).listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
    return this;
  }

  async stop(): Promise<void> {
    this.server!.close();
    await once(this.server!, 'close');
  }
}

describe('the stream of the logs', () => {
  let db: TestDatabase;
  let pools: RolePools;
  let database: SystemDatabase;
  let sealer: AuditSealer;
  let folder: string;
  let file: string;
  let user: number;

  beforeEach(async () => {
    db = await createTestDatabase();
    const config = buildTestConfig({ DATABASE_WORKER_URL: db.urls.worker, CONTEXT_KEY: testServices().contextKey });
    pools = new RolePools(config);
    database = new SystemDatabase(pools, config);
    sealer = new AuditSealer(database, () => SIGNER);
    folder = mkdtempSync(join(tmpdir(), 'gigvault-stream-'));
    file = join(folder, 'audit.jsonl');
    user = await createUser('ann');
  });
  afterEach(async () => {
    await pools.onApplicationShutdown();
    await db.end();
    rmSync(folder, { recursive: true });
  });

  const createUser = async (name: string): Promise<number> => {
    const sql = `INSERT INTO users (email, encrypted_password) VALUES ($1 || '@example.com', 'a hash') RETURNING id`;
    return (await db.query<{ id: number }>('superuser', sql, [name]))[0]!.id;
  };
  const seal = async (): Promise<void> => {
    while ((await sealer.sealNext()) > 0);
  };
  /** Runs the task once: a new stream, until nothing is left. */
  const run = async (address = `file:${file}`): Promise<number> => {
    const stream = new LogStream(database, createStreamTarget(address, 'gigvault.example.org'), address);
    let rows = 0;
    for (let sent = 1; sent > 0; rows += sent) sent = await stream.sendNext();
    return rows;
  };
  const parse = (text: string): SentLine[] =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as SentLine);
  const readFile = (): SentLine[] => parse(readFileSync(file, 'utf8'));
  const readTree = async (): Promise<string[]> => {
    const seals = await db.query<{ entries: Buffer }>('superuser', 'SELECT entries FROM audit.seals ORDER BY id');
    const all = Buffer.concat(seals.map(({ entries }) => entries));
    return Array.from({ length: all.length / 49 }, (_, i) => all.subarray(i * 49, (i + 1) * 49).toString('base64'));
  };
  const expectWholeTree = async (lines: readonly SentLine[]): Promise<void> => {
    const tree = await readTree();
    expect(lines.map(({ leafIndex }) => leafIndex)).toEqual([...tree.keys()]);
    expect(lines.map(({ entry }) => entry)).toEqual(tree);
  };

  it('has each row of both logs once, in the order of the tree, also those that commit late', async () => {
    const slow = new Client({ connectionString: db.urls.superuser });
    await slow.connect();
    await slow.query('BEGIN');
    await slow.query(
      `INSERT INTO templates (user_id, name, body, generation_type) VALUES (${user}, 'x', 'x', 'message')`,
    );
    await db.query('superuser', `SELECT auth.log_event('test', $1, false, '192.0.2.1', 'curl', '{"a": 1}')`, [user]);
    await createUser('ben');
    await seal();
    await run();
    await slow.query('COMMIT');
    await slow.end();
    await createUser('cleo');
    await seal();
    await run();

    const lines = readFile();
    await expectWholeTree(lines);
    expect(lines).toContainEqual({
      leafIndex: expect.any(Number),
      entry: expect.any(String),
      log: 'security',
      id: expect.any(Number),
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      userId: user,
      eventType: 'test',
      success: false,
      ipAddress: '192.0.2.1',
      userAgent: 'curl',
      details: { a: 1 },
      isErased: false,
    });
    expect(lines.map(({ table }) => table)).toContain('templates');
    expect(readFileSync(file, 'utf8')).not.toContain('a hash');
    expect(await run()).toBe(0);
  });

  it('continues over many seals and batches', async () => {
    for (const rows of [1_500, 1, 700, 2_100, 3]) {
      await db.query(
        'superuser',
        `INSERT INTO audit_logs (user_id, table_name, action) SELECT 1, 'jobs', 'INSERT' FROM generate_series(1, $1)`,
        [rows],
      );
      await seal();
    }
    await run();

    await expectWholeTree(readFile());
  });

  it('repeats nothing in a file when the process ended before the position was stored, or in a line', async () => {
    await createUser('ben');
    await seal();
    await run();
    await db.query('superuser', 'UPDATE audit.stream_positions SET next_leaf = 0');
    await createUser('cleo');
    await seal();
    appendFileSync(file, '{"leafIndex":2,"entry":"abc');
    expect(await run()).toBe(1);

    await expectWholeTree(readFile());
  });

  it('leaves a file of another program as it is, and fails', async () => {
    await createUser('ben');
    await seal();
    writeFileSync(file, '{"level":"info","message":"of another program"}');

    await expect(run()).rejects.toThrow('ends with a line of another program');

    expect(readFileSync(file, 'utf8')).toBe('{"level":"info","message":"of another program"}');
  });

  it('sends the rows that a restored backup has in place of those in the file', async () => {
    await createUser('ben');
    await seal();
    await run();
    const before = readFile().length;
    await db.query('superuser', 'UPDATE audit.stream_positions SET next_leaf = 1');
    await db.query('superuser', 'DELETE FROM audit.seals; DELETE FROM audit.tiles');
    await db.query('superuser', 'DELETE FROM audit_logs WHERE id = (SELECT max(id) FROM audit_logs)');
    await createUser('cleo');
    await seal();
    await run();

    const lines = readFile().slice(before);
    expect(lines.map(({ entry }) => entry)).toEqual((await readTree()).slice(1));
  });

  it('begins another file after a rotation, where the first ended', async () => {
    await seal();
    await run();
    renameSync(file, `${file}.1`);
    await createUser('ben');
    await seal();
    await run();

    await expectWholeTree([...parse(readFileSync(`${file}.1`, 'utf8')), ...readFile()]);
  });

  it('does not have erased values, and says so', async () => {
    await db.query('superuser', `SELECT auth.log_event('test', $1, true, '192.0.2.1', 'curl', '{"a": 1}')`, [user]);
    await seal();
    await db.query('superuser', 'SELECT audit.erase_user($1, NULL, true)', [user]);
    await seal();
    await run();

    const text = readFileSync(file, 'utf8');
    expect(text).not.toContain('ann@example.com');
    expect(text).not.toContain('192.0.2.1');
    expect(readFile()[0]).toMatchObject({ userId: user, newValues: null, isErased: true });
  });

  it('fails while a syslog server is away, and then sends everything', async () => {
    const receiver = await new SyslogReceiver().start();
    const address = `syslog+tcp://127.0.0.1:${receiver.port}`;
    await receiver.stop();
    await db.query('superuser', `SELECT auth.log_event('tëst', $1, false, NULL, NULL, NULL)`, [user]);
    await seal();
    await expect(run(address)).rejects.toThrow('ECONNREFUSED');
    await receiver.start();
    await run(address);
    await createUser('ben');
    await seal();
    await run(address);
    await receiver.stop();

    const parts = receiver.messages.map((message) => /^<(\d+)>1 (\S+) (\S+) (\S+) - (\S+) - (\{.*\})$/.exec(message)!);
    const lines = parts.map((part) => JSON.parse(part[6]!) as SentLine);
    await expectWholeTree(lines);
    const failed = lines.findIndex(({ eventType }) => eventType === 'tëst');
    expect(parts[failed]!.slice(1, 6)).toEqual([
      '108',
      lines[failed]!['at'],
      'gigvault.example.org',
      'gigvault',
      'security',
    ]);
    expect(parts[0]![1]).toBe('110');
  });

  it('keeps its position when a syslog server ends the connection early', async () => {
    await seal();
    const server = createServer((socket) => socket.resetAndDestroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = `syslog+tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;

    await expect(run(address)).rejects.toThrow();

    server.close();
    expect(await db.query('superuser', 'SELECT FROM audit.stream_positions')).toEqual([]);
  });

  it('sends nothing over TLS to a server without a trusted certificate', async () => {
    await seal();
    let received = '';
    const server = createServer((socket) =>
      socket
        .on('data', (chunk) => (received += chunk.toString('latin1')))
        .on('error', () => undefined)
        .end(),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');

    await expect(run(`syslog+tls://127.0.0.1:${(server.address() as AddressInfo).port}`)).rejects.toThrow();

    server.close();
    expect(received).not.toContain('leafIndex');
    expect(existsSync(file)).toBe(false);
  });
});
