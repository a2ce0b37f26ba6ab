import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import type { FakeAnswer } from '../../src/demo/fake-upwork/fake-schema';
import type { FakeUpwork } from '../../src/demo/fake-upwork/fake-upwork';
import { CAPABILITIES, listCapabilityParts } from '../../src/upwork/capabilities.service';
import { getTypeName, listExpectedParts } from '../../src/upwork/schema/upwork-schema';
import { createAccount, signInToDashboard } from '../support/dashboard-client';
import type { TestApp } from '../support/test-app';
import type { ManualWorker } from '../support/test-worker';
import { startUpworkApp, type ConnectedUser, type UpworkApp } from '../support/upwork-app';

const NOTHING = { jobs: [], proposals: [], messages: [], replies: [], details: [] };

interface Named {
  readonly name: string;
}
type IntrospectedTypes = Record<string, { fields?: Named[] | null; enumValues?: Named[] | null } | null>;

/** Removes parts from an answer to introspection, as for an API key without their permission. */
function hide(answer: FakeAnswer, parts: readonly string[]): void {
  const types = answer.data as unknown as IntrospectedTypes;
  for (const [name, type] of Object.entries(types)) {
    if (parts.includes(name)) types[name] = null;
    else if (type?.fields) type.fields = type.fields.filter((field) => !parts.includes(`${name}.${field.name}`));
    else if (type?.enumValues)
      type.enumValues = type.enumValues.filter((word) => !parts.includes(`${name}.${word.name}`));
  }
}

describe('the capabilities of a connection', () => {
  let upworkApp: UpworkApp;
  let upwork: FakeUpwork;
  let app: TestApp;
  let worker: ManualWorker;
  let ann: ConnectedUser;

  beforeAll(async () => {
    upworkApp = await startUpworkApp();
    ({ upwork, app, worker } = upworkApp);
  });
  beforeEach(async () => {
    ann = await upworkApp.connectUser();
  });
  afterEach(() => upworkApp.reset());
  afterAll(() => upworkApp.close());

  const hideParts = (...parts: readonly string[]) => {
    upwork.transformResponse = ({ operation }, answer) => {
      if (operation === 'Introspection') hide(answer, parts);
      return answer;
    };
  };
  const refuse = (message: string, classification: string) => {
    const errors = [{ message, extensions: { classification } }];
    upwork.transformResponse = ({ operation }, answer) =>
      operation === 'Introspection' ? { data: null, errors } : answer;
  };
  const check = async () => {
    await worker.runTask('check-capabilities');
    return (await ann.get(`/v1/tokens/${ann.connectionId}`)).body.capabilities;
  };
  const makeDue = (days: number) =>
    app.db.query(
      'superuser',
      `UPDATE user_tokens SET next_capability_check_at = next_capability_check_at - make_interval(days => $1)`,
      [days],
    );

  it('are those that the documents need, each part in the schema', () => {
    const parts = listCapabilityParts();
    const known = listExpectedParts([...new Set(Object.values(parts).flat().map(getTypeName))]);

    expect(Object.values(parts).flatMap((each) => each.filter((part) => !known.has(part)))).toEqual([]);
    expect(parts.replies).toEqual([
      'Query.user',
      'CurrentUser.id',
      'RoomStoryCreateInputV2',
      'Mutation.createRoomStoryV2',
      'Mutation.createRoomStoryV2(input:)',
      'RoomStory.id',
      'RoomStoryCreateInputV2.roomId',
      'RoomStoryCreateInputV2.message',
    ]);
    expect(parts.proposals).toEqual(expect.arrayContaining(['VendorProposalFilter.status_eq', 'SortOrder.DESC']));
  });

  it('are unknown at first, and checked after connecting and once a week', async () => {
    const { body } = await ann.get('/v1/tokens');
    expect(body.items[0].capabilities).toEqual({ checkedAt: null, error: null, missing: null });

    expect(await check()).toEqual({ checkedAt: expect.any(String), error: null, missing: NOTHING });
    const calls = upwork.calls.length;
    expect(calls).toBeGreaterThan(0);
    await makeDue(6);
    await check();
    expect(upwork.calls.length).toBe(calls);
    await makeDue(1);
    await check();
    expect(upwork.calls.length).toBe(2 * calls);
  });

  it('lack what the API key cannot see, by capability', async () => {
    hideParts('Mutation', 'Room.vendorProposal', 'VendorProposalStatusFilterInput.Hired');

    const { missing } = await check();

    expect(missing).toEqual({
      ...NOTHING,
      proposals: ['VendorProposalStatusFilterInput.Hired'],
      messages: ['Room.vendorProposal'],
      replies: ['Mutation.createRoomStoryV2', 'Mutation.createRoomStoryV2(input:)'],
    });
    hideParts();
    await makeDue(7);
    expect((await check()).missing).toEqual(NOTHING);
  });

  it('lack everything without any type', async () => {
    hideParts(...Object.values(listCapabilityParts()).flat().map(getTypeName));

    const { missing } = await check();

    expect(CAPABILITIES.map((name) => missing[name].length)).toEqual(
      CAPABILITIES.map((name) => listCapabilityParts()[name].length),
    );
  });

  it('keep what was known when introspection is refused, and say so', async () => {
    await check();
    await makeDue(7);
    refuse('Introspection has been disabled', 'ValidationError');

    const { error, missing } = await check();

    expect([error, missing]).toEqual([expect.stringContaining('Introspection'), NOTHING]);
    const calls = upwork.calls.length;
    await makeDue(6);
    await check();
    expect(upwork.calls.length).toBe(calls);
  });

  it('are checked again within an hour after an outage', async () => {
    refuse('Transform timeout', 'DataFetchingException');

    expect(await check()).toMatchObject({ error: expect.any(String), missing: null });
    upwork.transformResponse = (_, answer) => answer;
    await app.db.query(
      'superuser',
      `UPDATE user_tokens SET next_capability_check_at = now()
      WHERE next_capability_check_at < now() + interval '61 minutes'`,
    );
    expect(await check()).toMatchObject({ error: null, missing: NOTHING });
  });

  it('are shown on the dashboard', async () => {
    hideParts('Room.topic', 'RoomStoryCreateInputV2', 'Mutation');
    await check();
    const cookie = await signInToDashboard(app, await createAccount(app, 'admin'));

    const page = await (await fetch(`${app.url}/admin`, { headers: { cookie } })).text();

    expect(page).toContain('messages of 1 connection lack Room.topic; replies of 1 connection lack ');
    expect(page).toContain(
      'Mutation.createRoomStoryV2, Mutation.createRoomStoryV2(input:), RoomStoryCreateInputV2 and 2 more',
    );
  });

  describe('npm run upwork:probe', () => {
    async function probe(token: string): Promise<{ code: number | null; output: string }> {
      const program = ['src/cli/build.cjs', 'dist/src/cli/upwork-probe.js'];
      const env = { ...process.env, UPWORK_API_URL: `${upwork.url}/graphql`, UPWORK_ACCESS_TOKEN: '' };
      const child = spawn(process.execPath, program, { env });
      child.stdin.end(`${token}\n`);
      const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
      const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
      expect(output + errors).not.toContain(token);
      return { code, output: output + errors };
    }

    it('finds nothing where Upwork is as expected', async () => {
      const { id } = upwork.marketplace.publish({ title: 'A job with sql' });
      const proposal = upwork.marketplace.submit('freelancer', id, 'Hello', '10.00');
      upwork.marketplace.writeMessage(proposal.id, 'client', 'Hi');

      const { code, output } = await probe(upwork.grants.issueTokens().accessToken);

      expect(output).toContain('Nothing is wrong.');
      expect(output).toContain('pages of 40: VendorProposals: Upwork reports an error at vendorProposals');
      expect(output).not.toContain('Hello');
      expect(code).toBe(0);
    });

    it('prints what differs, and fails', async () => {
      hideParts('RoomUser', 'Room.topic');

      const { code, output } = await probe(upwork.grants.issueTokens().accessToken);

      expect(output.match(/(?<=problem +schema +)\S+ is missing/g)).toEqual([
        'Room.topic is missing',
        'RoomUser is missing',
      ]);
      expect(code).toBe(1);
    });

    it('fails with a void token', async () => {
      const { code, output } = await probe('void-token-0001');

      expect(output).toContain('Upwork answered 401: the access token is invalid');
      expect(code).toBe(1);
    });
  });
});
