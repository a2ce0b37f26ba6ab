import { randomUUID } from 'node:crypto';
import { Caller } from '../../support/caller';
import { buildExample, type Operation, type Schema } from '../../support/openapi-operations';
import type { StressAccount, ApiProcess } from '../api-process';

/** The identities that send requests. */
export const IDENTITIES = ['user', 'admin', 'none'] as const;

/** An identity. */
export type Identity = (typeof IDENTITIES)[number];

/** Accounts with small ids that may be deactivated, so that hostile ids do not hit the accounts of the scenario. */
const DISPOSABLE_ACCOUNTS = 10;

/** Lists whose items have another name for the ids of a path. */
const LISTS: Readonly<Record<string, string>> = { '/v1/tokens/upwork': '/v1/tokens' };

/** Fields that name a row of the same user. */
const REFERENCES: Readonly<Record<string, string>> = {
  jobId: '/v1/jobs',
  proposalId: '/v1/proposals',
  templateId: '/v1/templates',
  webhookId: '/v1/webhooks',
};

/** Fields that must differ between rows. */
const UNIQUE = new Set(['upworkJobId', 'upworkMessageId', 'name', 'email']);

/** An identity of the scenario: an account, its access token and ids of its rows. */
class IdentityFixture {
  token = '';
  /** A request was answered 401, so the session may have ended. */
  isSessionUncertain = false;
  private readonly ids = new Map<string, readonly string[]>();

  constructor(
    readonly account: StressAccount,
    private readonly url: string,
    private readonly creatable: ReadonlyMap<string, Operation>,
  ) {}

  async signIn(): Promise<void> {
    this.token = await this.account.signIn();
    this.isSessionUncertain = false;
  }

  /** Returns ids of a list from the last read. */
  getIds(list: string): readonly string[] {
    return this.ids.get(list) ?? [];
  }

  /** Creates a row if a POST does so, and reads the first page of the list. */
  async refresh(list: string): Promise<void> {
    const caller = new Caller(this.url, this.token);
    const operation = this.creatable.get(list);
    if (operation) await caller.post(list, this.buildBody(operation.body));
    const { status, body } = await caller.get(list);
    const items: unknown = status !== 200 ? [] : Array.isArray(body) ? body : body.items;
    if (!Array.isArray(items)) return;
    const ids = items.map((item: { id?: unknown }) => item.id).filter((id) => id !== undefined);
    this.ids.set(list, ids.slice(0, 5).map(String));
  }

  /** Returns a body of examples that names this identity's own rows. */
  buildBody(schema: Schema | undefined): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(buildExample(schema)).map(([name, example]) => {
        const list = REFERENCES[name];
        const [id] = list === undefined ? [] : this.getIds(list);
        if (id !== undefined) return [name, Number(id)];
        if (name === 'email') return [name, `${randomUUID()}@example.com`];
        return [
          name,
          UNIQUE.has(name) && typeof example === 'string' ? `${example.slice(0, 60)} ${randomUUID()}` : example,
        ];
      }),
    );
  }
}

/** The accounts of the scenario and their rows. */
export class Fixtures {
  private disposableAccounts: readonly string[] = [];
  private cursors: readonly string[] = [];

  private constructor(
    private readonly api: ApiProcess,
    private readonly identities: {
      readonly user: IdentityFixture;
      readonly admin: IdentityFixture;
      readonly other: IdentityFixture;
    },
  ) {}

  /** Creates the accounts and a few rows of each. */
  static async create(api: ApiProcess, operations: readonly Operation[]): Promise<Fixtures> {
    const throwaway: string[] = [];
    for (let i = 0; i < DISPOSABLE_ACCOUNTS; i++) throwaway.push(String((await api.createAccount()).id));
    const creatable = new Map(
      operations
        .filter(({ method, path, body }) => method === 'POST' && !path.includes('{') && body)
        .map((operation) => [operation.path, operation]),
    );
    const person = async (role: 'user' | 'admin'): Promise<IdentityFixture> =>
      new IdentityFixture(await api.createAccount(role), api.url, creatable);
    const fixtures = new Fixtures(api, {
      user: await person('user'),
      admin: await person('admin'),
      other: await person('user'),
    });
    fixtures.disposableAccounts = throwaway;
    for (const each of Object.values(fixtures.identities)) {
      await each.signIn();
      for (const list of [
        ...Object.values(REFERENCES),
        '/v1/messages',
        '/v1/tokens',
        '/v1/saved-searches',
        '/v1/ai/generations',
      ])
        await each.refresh(list);
    }
    await fixtures.readCursors();
    return fixtures;
  }

  /** Returns the access token of an identity. */
  getToken(identity: Identity): string | undefined {
    return identity === 'none' ? undefined : this.identities[identity].token;
  }

  /** Signs an identity in again after a request that may have ended its session. */
  async signIn(identity: Identity): Promise<void> {
    if (identity !== 'none') await this.identities[identity].signIn();
  }

  /** Records that a request of an identity was answered 401. */
  markUncertain(identity: Identity): void {
    if (identity !== 'none') this.identities[identity].isSessionUncertain = true;
  }

  /** Ensures that the session is valid and that the rows of an operation's path exist. */
  async prepare(operation: Operation, identity: Identity): Promise<void> {
    if (identity === 'none') return;
    const person = this.identities[identity];
    if (person.isSessionUncertain) await person.signIn();
    for (const list of findLists(operation.path)) await person.refresh(list);
  }

  /** Returns a body of examples that names rows of the identity. */
  buildBody(schema: Schema | undefined, identity: Identity): Record<string, unknown> {
    return this.identities[identity === 'none' ? 'user' : identity].buildBody(schema);
  }

  /** Returns ids for a path parameter: the identity's own, and those of another user. */
  getIds(
    operation: Operation,
    parameter: string,
    identity: Identity,
  ): { own: readonly string[]; foreign: readonly string[] } {
    if (operation.path.startsWith('/v1/admin/users/')) return { own: this.disposableAccounts, foreign: [] };
    if (parameter === 'table') return { own: ['jobs', 'proposals'], foreign: [] };
    const list = parameter === 'recordId' ? '/v1/jobs' : findListBefore(operation.path, parameter);
    const own = this.identities[identity === 'none' ? 'user' : identity].getIds(list);
    const isShared = operation.path.startsWith('/v1/admin/') || operation.path.startsWith('/v1/audit/');
    return { own, foreign: isShared ? [] : this.identities.other.getIds(list) };
  }

  /** Returns another user's id for a field of a body; undefined if the field names no row. */
  findForeignReference(field: string): number | undefined {
    const list = REFERENCES[field];
    const [id] = list === undefined ? [] : this.identities.other.getIds(list);
    return id === undefined ? undefined : Number(id);
  }

  /** Returns genuine cursors of lists of both users. */
  get genuineCursors(): readonly string[] {
    return this.cursors;
  }

  private async readCursors(): Promise<void> {
    const { user, other } = this.identities;
    await Promise.all([user, other].map((person) => person.refresh('/v1/jobs')));
    const pages = [user, other].flatMap(({ token }) =>
      ['/v1/jobs?limit=1', '/v1/jobs?limit=1&sort=-createdAt'].map((path) => new Caller(this.api.url, token).get(path)),
    );
    const cursors = (await Promise.all(pages)).map(({ body }) => (body as { nextCursor?: unknown }).nextCursor);
    this.cursors = cursors.filter((cursor) => typeof cursor === 'string');
  }
}

function findLists(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)]
    .map(([, name]) => findListBefore(path, name!))
    .filter((list) => !list.includes('{'));
}

function findListBefore(path: string, parameter: string): string {
  const list = path.slice(0, path.indexOf(`/{${parameter}}`));
  return LISTS[list] ?? list;
}
