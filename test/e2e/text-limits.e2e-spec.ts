import { startFakeVendors, type FakeVendors } from '../../src/demo/fake-ai/fake-vendors';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, createUser, type SignedInCaller, signInFrom } from '../support/accounts';
import type { Caller } from '../support/caller';
import { insertJob } from '../support/factories/job.factory';
import { buildExample, readOperations, fillPath, type Operation } from '../support/openapi-operations';

/** Visible characters and their number of code points, which differs from UTF-16 units and graphemes. */
const UNITS: readonly (readonly [name: string, unit: string, codePoints: number])[] = [
  ['a character beyond U+FFFF', '\u{1f600}', 1],
  ['a heart with its variation selector', '\u2764\ufe0f', 2],
  ['a letter with a combining accent', 'q\u0301', 2],
];

/** A text field of the body of an operation, and its limit in the contract. */
interface TextField {
  readonly operation: Operation;
  readonly field: string;
  readonly maxLength: number;
}

interface Problem {
  readonly errors?: readonly { readonly pointer: string; readonly code: string }[];
}

/** Returns a text of exactly this number of code points. */
function textOf(unit: string, codePoints: number, length: number): string {
  return unit.repeat(Math.floor(length / codePoints)) + 'x'.repeat(length % codePoints);
}

describe('the lengths of texts', () => {
  let vendors: FakeVendors;
  let app: TestApp;
  /** An admin with a recent re-authentication. */
  let admin: Caller;
  let fields: readonly TextField[];
  let operations: readonly Operation[];

  beforeAll(async () => {
    vendors = await startFakeVendors();
    app = await startApp({ settings: vendors.settings });
    const person = await createUser(app, { role: 'admin' });
    admin = await signInFrom(app, person);
    await admin.post('/v1/auth/step-up', { password: person.password });
    operations = await readOperations(app.url);
    fields = operations.flatMap((operation) =>
      Object.entries(operation.body?.properties ?? {}).flatMap(([field, { maxLength }]) =>
        maxLength === undefined ? [] : [{ operation, field, maxLength }],
      ),
    );
  });
  afterAll(async () => {
    await app.close();
    await vendors.close();
  });

  /** Returns the id of a row that the operation changes; a missing one for other operations. */
  async function idFor({ method, path }: Operation, caller: SignedInCaller): Promise<string> {
    const make = async (list: string, body: object): Promise<string> => String((await caller.post(list, body)).body.id);
    const [, list] = /^\/v1\/((?:admin\/)?[\w-]+)\/\{id\}/.exec(path) ?? [];
    switch (list) {
      case 'jobs':
        return String(await insertJob(app.db, caller.id));
      case 'proposals':
        return make('/v1/proposals', { jobId: await insertJob(app.db, caller.id) });
      case 'saved-searches':
        return make('/v1/saved-searches', { name: 'A search', query: 'sql' });
      case 'webhooks':
        return make('/v1/webhooks', { url: 'https://example.com/hook' });
      case 'templates':
        return make('/v1/templates', { name: 'A template', type: 'message', body: 'Hi' });
      case 'admin/users':
        return String((await createSignedInCaller(app)).id);
      case 'admin/tasks':
        return 'refresh-job-stats';
      default:
        return method === 'PATCH' && list !== undefined ? findOrCreate(list, caller) : '1';
    }
  }

  /** Returns the id of the newest row of a list, or of one that the example of its POST creates. */
  async function findOrCreate(list: string, user: SignedInCaller): Promise<string> {
    const path = `/v1/${list}`;
    const { body } = await user.get(`${path.replace('/admin', '')}?limit=1`);
    const creation = operations.find((operation) => operation.method === 'POST' && operation.path === path);
    const row = body.items[0] ?? (await pickCaller(path, user).post(path, await buildBody(creation!, user))).body;
    return String(row.id);
  }

  /** Returns the example body of an operation without ids of rows, except a new job. */
  async function buildBody({ body }: Operation, user: SignedInCaller): Promise<Record<string, unknown>> {
    const examples = Object.entries(buildExample(body)).filter(([name]) => !/[a-z]Id$/.test(name));
    const needed = body?.required?.includes('jobId') ? { jobId: await insertJob(app.db, user.id) } : {};
    return { ...Object.fromEntries(examples), ...needed };
  }

  function pickCaller(path: string, user: SignedInCaller): Caller {
    return path.startsWith('/v1/admin/') ? admin : user;
  }

  /** Sends the example body with one changed text. */
  async function send(
    { operation, field }: TextField,
    text: string,
  ): Promise<{ status: number; errors: NonNullable<Problem['errors']> }> {
    const user = await createSignedInCaller(app);
    const caller = pickCaller(operation.path, user);
    const path = fillPath(operation, { id: await idFor(operation, user) });
    const { status, body } = await caller.send<Problem | undefined>(operation.method, path, {
      ...(await buildBody(operation, user)),
      [field]: text,
    });
    return { status, errors: (body?.errors ?? []).filter(({ pointer }) => pointer === `/${field}`) };
  }

  it.each(UNITS)('are counted in code points, for every field: %s', async (_, unit, codePoints) => {
    const faults: string[] = [];
    for (const textField of fields) {
      const name = `${textField.operation.method} ${textField.operation.path} ${textField.field}`;
      const longest = await send(textField, textOf(unit, codePoints, textField.maxLength));
      const longer = await send(textField, textOf(unit, codePoints, textField.maxLength + 1));
      const isStored = !textField.operation.path.startsWith('/v1/auth/');
      const isWrong = longest.status >= 500 || longest.errors.some(({ code }) => /length/.test(code));
      // A request that is rejected for another value does not count.
      const isUntried = isStored && [400, 403, 404, 422].includes(longest.status) && longest.errors.length === 0;
      if (isWrong || isUntried) faults.push(`${name}: ${JSON.stringify(longest)}`);
      if (longer.status !== 400 || longer.errors.length === 0)
        faults.push(`${name}, one more: ${JSON.stringify(longer)}`);
    }

    expect(fields.length).toBeGreaterThan(60);
    expect(faults).toEqual([]);
  });

  it('rejects names of 60 hearts, which are 120 code points, and accepts 50', async () => {
    const ann = await createSignedInCaller(app);
    const rename = async (hearts: number) =>
      (await ann.patch('/v1/users/me', { firstName: '\u2764\ufe0f'.repeat(hearts) })) as {
        status: number;
        body: Problem;
      };

    const [rejected, taken] = [await rename(60), await rename(50)];

    expect([rejected.status, rejected.body.errors?.map(({ pointer }) => pointer)]).toEqual([400, ['/firstName']]);
    expect(taken.status).toBe(200);
  });
});
