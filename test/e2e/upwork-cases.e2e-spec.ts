import type { FakeUpwork } from '../../src/demo/fake-upwork/fake-upwork';
import type { SignedInCaller } from '../support/accounts';
import type { Answer } from '../support/caller';
import { startUpworkApp, type UpworkApp } from '../support/upwork-app';

/** Columns of a job in the table below. */
const COLUMNS = [
  'upworkJobId',
  'title',
  'jobType',
  'budgetMin',
  'budgetMax',
  'hourlyRateMin',
  'hourlyRateMax',
  'currency',
  'experienceLevel',
  'duration',
  'workload',
  'country',
  'category',
  'skills',
] as const;

const WEB = 'Web, Mobile & Software Dev';
const [SHORT, PART_TIME] = ['Less than 1 month', 'Less than 30 hrs/week'];
const NO_RATES = [null, null];

/** The row that each job of the case `jobs-page` becomes. */
const JOBS = {
  hourlyRange: [
    ...['~021991400000000000001', 'Speed up slow PostgreSQL queries', 'hourly', null, null, '40.00', '60.00', 'USD'],
    ...['expert', '1 to 3 months', PART_TIME, 'Germany', WEB, ['PostgreSQL', 'SQL']],
  ],
  fixedPrice: [
    ...['~021991400000000000002', 'Webflow site, small changes', 'fixed', '120.00', '120.00', ...NO_RATES, 'USD'],
    ...['intermediate', SHORT, null, 'Germany', WEB, ['Webflow']],
  ],
  openPrice: [
    ...['~021991400000000000003', 'Data entry, budget open', 'fixed', null, null, ...NO_RATES, 'USD'],
    ...['entry', SHORT, null, 'Germany', 'Admin Support', []],
  ],
  hourlyWithoutRange: [
    ...['~021991400000000000004', 'Ongoing WordPress care', 'hourly', null, null, ...NO_RATES, 'USD'],
    ...['intermediate', 'More than 6 months', '30+ hrs/week', 'Germany', WEB, ['WordPress']],
  ],
  ofNewClient: [
    ...['~021991400000000000005', 'Newsletter for a shop', 'fixed', '250.00', '250.00', ...NO_RATES, 'USD'],
    ...[null, SHORT, null, null, 'Sales & Marketing', ['Email Marketing']],
  ],
  withNulls: [
    ...['~021991400000000000006', 'Rust <-> C bindings (FFI) & tests', 'hourly', null, null, null, '95.50', 'USD'],
    ...[null, null, PART_TIME, 'GBR', null, ['Rust', 'C']],
  ],
  filled: [
    ...['~021991400000000000007', 'Landing page (filled)', 'fixed', '500.00', '500.00', ...NO_RATES, 'EUR'],
    ...['intermediate', SHORT, null, 'Germany', WEB, []],
  ],
};

describe("the rows that Upwork's answers become", () => {
  let upworkApp: UpworkApp;
  let upwork: FakeUpwork;
  let ann: SignedInCaller;

  beforeAll(async () => {
    upworkApp = await startUpworkApp();
    ({ upwork } = upworkApp);
  });
  beforeEach(async () => {
    ann = await upworkApp.connectUser();
  });
  afterEach(async () => {
    await upworkApp.reset();
  });
  afterAll(() => upworkApp.close());

  const synchronize = (kind: 'jobs' | 'messages', ...cases: string[]) => upworkApp.synchronize(ann, kind, ...cases);

  async function readJobs(): Promise<unknown[][]> {
    const { items } = (await ann.get('/v1/jobs')).body;
    const rows: unknown[][] = items.map((job: Answer['body']) => COLUMNS.map((column) => job[column]));
    return rows.sort(([one], [other]) => String(one).localeCompare(String(other)));
  }

  const search = () => ann.post('/v1/saved-searches', { name: 'Databases', query: 'postgresql' });
  const pages = () => upwork.calls.map(({ variables }) => variables);
  const page = (after: string) => ({
    filter: { searchExpression_eq: 'postgresql', pagination_eq: { after, first: 50 } },
  });

  it('are one per job of a search, by its kind of pay, with nulls where Upwork has none', async () => {
    await search();

    const sync = await synchronize('jobs', 'jobs-page', 'jobs-page-last');

    expect(sync).toMatchObject({ status: 'succeeded', lastError: null, figures: { created: 7, unreadable: 0 } });
    expect(await readJobs()).toEqual(Object.values(JOBS));
    expect(pages()).toEqual([page('0'), page('7')]);
  });

  it('carry the facts about client and competition, and filled jobs are no new matches', async () => {
    await search();

    await synchronize('jobs', 'jobs-page', 'jobs-page-last');

    const { items } = (await ann.get('/v1/jobs')).body;
    const jobOf = (upworkJobId: string): Answer['body'] =>
      items.find((job: Answer['body']) => job.upworkJobId === upworkJobId);
    expect(jobOf('~021991400000000000001')).toMatchObject({
      postedAt: '2026-11-20T08:14:02.000Z',
      renewedAt: '2026-11-21T06:00:00.000Z',
      clientSpent: '23420.42',
      clientSpentCurrency: 'USD',
      clientHires: 12,
      clientPostedJobs: 30,
      clientRating: 4.99,
      clientReviews: 9,
      clientPaymentVerified: true,
      applicants: 7,
      freelancersToHire: 1,
      isFilled: false,
      alreadyApplied: false,
      premium: false,
      enterprise: false,
      clientInfo: { hires: 12, spent: { rawValue: '23420.42', currency: 'USD' }, rating: 4.99 },
    });
    expect(jobOf('~021991400000000000005')).toMatchObject({
      clientSpent: null,
      clientSpentCurrency: null,
      clientHires: 0,
      clientRating: null,
      clientReviews: 0,
      clientPaymentVerified: null,
    });
    expect(jobOf('~021991400000000000007')).toMatchObject({ freelancersToHire: 0, isFilled: true });
    expect((await ann.get('/v1/saved-searches')).body.items[0]).toMatchObject({ newMatches: 6 });
  });

  it('are complete except for a job that Upwork could not read', async () => {
    await search();

    const sync = await synchronize('jobs', 'jobs-page-partial', 'jobs-page-last');

    expect(sync).toMatchObject({ status: 'succeeded', lastError: null, figures: { created: 2, unreadable: 1 } });
    expect(await readJobs()).toEqual([JOBS.hourlyRange, JOBS.fixedPrice]);
    expect(pages()).toEqual([page('0'), page('10')]);
  });

  it('are none when a search finds nothing', async () => {
    await search();

    expect(await synchronize('jobs', 'jobs-none')).toMatchObject({ status: 'succeeded', figures: { created: 0 } });
    expect(await readJobs()).toEqual([]);
    expect(pages()).toEqual([page('0')]);
  });
});
