import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkServerIdentity, type ConnectionOptions } from 'node:tls';
import { Client, DatabaseError } from 'pg';
import type { Config } from '../../config/config';
import type { HostAddress } from '../../config/connection-settings';

/** Interval of asking each host whether it is the primary. */
const POLL_INTERVAL_MS = 500;

/** Longest wait for the answer of a host; then it counts as lost. */
const PROBE_TIMEOUT_MS = 1_000;

/** The timeline of a primary; NULL for a replica. A promotion begins a new timeline, with a higher number. */
const READ_TIMELINE = `
  SELECT CASE WHEN NOT pg_is_in_recovery() THEN left(pg_walfile_name(pg_current_wal_lsn()), 8) END AS timeline`;

/** Asks one host for its role, on a connection that it keeps. */
class HostProbe {
  /** The error of a host that refuses the login; undefined for others. */
  refusal: DatabaseError | undefined;
  private client: Client | undefined;

  constructor(
    readonly address: HostAddress,
    private readonly url: string,
  ) {}

  /** Returns the timeline of a primary; undefined for a replica and for a host that does not answer in time. */
  async readTimeline(): Promise<string | undefined> {
    try {
      this.client ??= await this.connect();
      const { rows } = await this.client.query<{ timeline: string | null }>(READ_TIMELINE);
      return rows[0]?.timeline ?? undefined;
    } catch (error) {
      if (error instanceof DatabaseError) this.refusal = error;
      this.close();
      return undefined;
    }
  }

  /** Closes the connection. */
  close(): void {
    // `end` alone would wait for a frozen host.
    (this.client as unknown as { connection: { stream: Socket } } | undefined)?.connection.stream.destroy();
    this.client = undefined;
  }

  private async connect(): Promise<Client> {
    const client = new Client({
      connectionString: replaceHost(this.url, this.address),
      application_name: 'gigvault primary',
      connectionTimeoutMillis: PROBE_TIMEOUT_MS,
      query_timeout: PROBE_TIMEOUT_MS,
    });
    client.on('error', () => this.close());
    await client.connect();
    return client;
  }
}

/** A host that is a primary, and the number of its timeline in hexadecimal digits. */
interface Primary {
  readonly address: HostAddress;
  readonly timeline: string;
}

/** Returns the primary: of several, that with the newest timeline. Undefined without one. */
async function findPrimary(probes: readonly HostProbe[]): Promise<Primary | undefined> {
  const answers = await Promise.all(
    probes.map(async (probe) => ({ address: probe.address, timeline: await probe.readTimeline() })),
  );
  const primaries = answers.flatMap(({ address, timeline }) => (timeline === undefined ? [] : [{ address, timeline }]));
  return primaries.sort((a, b) => b.timeline.localeCompare(a.timeline))[0];
}

/** No host is a primary. Mapped to 503 by postgres-errors.ts, like a refused connection. */
class NoPrimaryError extends Error {
  readonly code = 'ECONNREFUSED';
  override name = NoPrimaryError.name;

  constructor() {
    super('no host of DATABASE_HOSTS is a primary that answers');
  }
}

/** The host of a connection is not the primary any more. Mapped to 503, like a lost connection. */
class PrimaryChangedError extends Error {
  readonly code = 'ECONNRESET';
  override name = PrimaryChangedError.name;

  constructor() {
    super('another host of DATABASE_HOSTS is the primary now');
  }
}

/**
 * Returns the URL with the host that is the primary now, for programs that open one connection. Without hosts it
 * returns the URL itself.
 * @throws the error of a host that refuses the login; Error when no host is a primary that answers within a second
 */
export async function findPrimaryUrl(url: string, hosts: readonly HostAddress[]): Promise<string> {
  if (hosts.length === 0) return url;
  const probes = hosts.map((address) => new HostProbe(address, url));
  const primary = await findPrimary(probes);
  for (const probe of probes) probe.close();
  if (primary) return replaceHost(url, primary.address);
  // A wrong password says more than "no primary".
  throw probes.find(({ refusal }) => refusal)?.refusal ?? new NoPrimaryError();
}

function replaceHost(url: string, { host, port }: HostAddress): string {
  const hostname = host.includes(':') ? `[${host}]` : host;
  return Object.assign(new URL(url), { hostname, port: String(port) }).href;
}

/** What pg passes to the function that creates a socket, missing from its published types. */
interface SocketOptions {
  readonly ssl?: ConnectionOptions | boolean;
}

/**
 * Follows the primary of `DATABASE_HOSTS`, as libpq's target_session_attrs=primary does for one connection. While a
 * pool has connections, each host is asked twice a second with the login of gigvault_monitor. When another host is the
 * primary of a newer timeline, all connections to the former one are closed: it may be frozen, or not know that it was
 * replaced. A primary of an older timeline is never used again, also while the newer one does not answer: it lacks
 * changes. So after the restore into a new cluster, whose timeline is 1, restart the processes.
 * @see https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-CONNECT-TARGET-SESSION-ATTRS
 */
export class PrimaryHost {
  private readonly sockets = new Set<PrimarySocket>();
  private readonly probes: readonly HostProbe[];
  private current: HostAddress | undefined;
  /** The newest timeline of a primary so far. */
  private timeline = '';
  private search: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(hosts: readonly HostAddress[], url: string) {
    this.probes = hosts.map((address) => new HostProbe(address, url));
  }

  /** Creates the socket of a connection for pg. It connects to the primary and ignores the host of the URL. */
  createSocket(options: SocketOptions = {}): Socket {
    const { ssl } = options;
    const socket = new PrimarySocket(this);
    // pg would compare the certificate with the host of the URL.
    if (typeof ssl === 'object') ssl.checkServerIdentity = (_, certificate) => socket.checkIdentity(certificate);
    this.sockets.add(socket);
    socket.once('close', () => this.forget(socket));
    this.schedule();
    return socket;
  }

  /** Returns the address of the primary, once a host is one; undefined when the socket is closed before. */
  async locate(socket: Socket): Promise<HostAddress | undefined> {
    while (!this.current && !socket.destroyed) {
      await this.find();
      if (!this.current) await sleep(POLL_INTERVAL_MS, undefined, { ref: false });
    }
    return socket.destroyed ? undefined : this.current;
  }

  private schedule(): void {
    this.timer ??= setTimeout(() => void this.poll(), POLL_INTERVAL_MS).unref();
  }

  private async poll(): Promise<void> {
    this.timer = undefined;
    await this.find();
    if (this.sockets.size > 0) this.schedule();
  }

  private forget(socket: PrimarySocket): void {
    this.sockets.delete(socket);
    if (this.sockets.size === 0) this.rest();
  }

  /** One search at a time; without an answer the last primary remains. */
  private find(): Promise<void> {
    this.search ??= findPrimary(this.probes)
      .then((found) => found && this.follow(found))
      .finally(() => {
        this.search = undefined;
        if (this.sockets.size === 0) this.rest();
      });
    return this.search;
  }

  private follow({ address: primary, timeline }: Primary): void {
    if (primary === this.current || timeline < this.timeline) return;
    this.current = primary;
    this.timeline = timeline;
    for (const socket of this.sockets) {
      if (socket.host !== undefined && socket.host !== primary) socket.destroy(new PrimaryChangedError());
    }
  }

  /** Closes the probes without a connection of a pool. The primary may change meanwhile. */
  private rest(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.current = undefined;
    for (const probe of this.probes) probe.close();
  }
}

/** A socket to the host that is the primary when it connects. */
class PrimarySocket extends Socket {
  /** Undefined until the primary is known. */
  host: HostAddress | undefined;

  constructor(private readonly primary: PrimaryHost) {
    super();
  }

  /** Called by pg with port and host of the URL. The timeout of pg closes a socket that finds no primary. */
  override connect(): this {
    void this.primary.locate(this).then((host) => {
      this.host = host;
      if (host) super.connect(host.port, host.host);
    });
    return this;
  }

  /** Returns the error of a certificate that does not name the host. */
  checkIdentity(certificate: Parameters<typeof checkServerIdentity>[1]): Error | undefined {
    return checkServerIdentity(this.host?.host ?? '', certificate);
  }
}

const followers = new WeakMap<Config, PrimaryHost>();

/** Returns the options that make connections follow the primary; none without DATABASE_HOSTS. */
export function primaryOptions(config: Config): { readonly stream?: (options?: SocketOptions) => Socket } {
  const { hosts, urls } = config.database;
  if (hosts.length === 0) return {};
  let follower = followers.get(config);
  if (!follower) followers.set(config, (follower = new PrimaryHost(hosts, urls.monitor ?? urls.app)));
  return { stream: (options) => follower.createSocket(options) };
}

/** Returns the URL of a login with the host that is the primary now. @throws Error like `findPrimaryUrl` */
export function findLoginUrl(config: Config, login: keyof Config['database']['urls']): Promise<string> {
  return findPrimaryUrl(config.getDatabaseUrl(login), config.database.hosts);
}
