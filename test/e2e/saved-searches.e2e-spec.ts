import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import type { TestApp } from '../support/test-app';
import { startUpworkApp, type UpworkApp } from '../support/upwork-app';

/** Every filter of a search. */
const FILTERS = {
  jobType: 'hourly',
  experienceLevel: 'expert',
  workload: 'part_time',
  budgetMin: 0,
  budgetMax: 1_000_000,
  hourlyRateMin: 40,
  hourlyRateMax: 40,
  clientHiresMin: 1,
  clientHiresMax: 100,
  applicantsMin: 0,
  applicantsMax: 20,
  paymentVerifiedOnly: true,
  previousClientsOnly: true,
  locations: ['Germany', 'Côte d\u2019Ivoire'],
};

/** Values of a search without filters. */
const OPEN = {
  ...Object.fromEntries(Object.keys(FILTERS).map((name) => [name, null])),
  paymentVerifiedOnly: false,
  previousClientsOnly: false,
  locations: [],
};

describe('the filters of /v1/saved-searches', () => {
  let upworkApp: UpworkApp;
  let app: TestApp;
  let ann: SignedInCaller;

  beforeAll(async () => {
    upworkApp = await startUpworkApp();
    ({ app } = upworkApp);
  });
  beforeEach(async () => {
    ann = await createSignedInCaller(app);
  });
  afterAll(() => upworkApp.close());

  const create = (values: object) => ann.post('/v1/saved-searches', { name: 'One', query: 'sql', ...values });

  it('are stored, returned, changed and cleared, with an audit row per write', async () => {
    const created = await create(FILTERS);
    const path = `/v1/saved-searches/${created.body.id}`;
    const changed = await ann.patch(path, { applicantsMax: 10, locations: [] });
    const same = await ann.patch(path, { applicantsMax: 10, locations: [] });
    const cleared = await ann.patch(path, OPEN);

    expect([created.status, created.body]).toMatchObject([201, FILTERS]);
    expect(changed.body).toMatchObject({ ...FILTERS, applicantsMax: 10, locations: [], version: 2 });
    expect(same.body).toEqual(changed.body);
    expect(cleared.body).toMatchObject({ ...OPEN, version: 3 });
    expect((await ann.get('/v1/saved-searches')).body.items).toEqual([cleared.body]);
    const audits = await app.db.query(
      'superuser',
      `SELECT action, new_values FROM audit_logs WHERE table_name = 'saved_searches' AND user_id = $1 ORDER BY id`,
      [ann.id],
    );
    expect(audits).toMatchObject([
      { action: 'INSERT', new_values: { workload: 'part_time' } },
      { action: 'UPDATE', new_values: { applicants_max: 10, locations: [] } },
      { action: 'UPDATE', new_values: { workload: null, payment_verified_only: false } },
    ]);
  });

  it('are open without a value, and belong to their user', async () => {
    const bob = await createSignedInCaller(app);
    const { body } = await create({});

    expect(body).toMatchObject(OPEN);
    expect((await bob.patch(`/v1/saved-searches/${body.id}`, FILTERS)).status).toBe(404);
    expect((await ann.get(`/v1/saved-searches/${body.id}`)).body).toEqual(body);
  });

  it.each([
    ['budgetMin', { budgetMin: 901, budgetMax: 900 }],
    ['hourlyRateMin', { hourlyRateMin: 41, hourlyRateMax: 40 }],
    ['clientHiresMin', { clientHiresMin: 2, clientHiresMax: 1 }],
    ['applicantsMin', { applicantsMin: 2, applicantsMax: 1 }],
    ['budgetMax', { budgetMax: '900.00' }],
    ['hourlyRateMax', { hourlyRateMax: 1_000_001 }],
    ['clientHiresMax', { clientHiresMax: -1 }],
    ['applicantsMax', { applicantsMax: 0.5 }],
    ['experienceLevel', { experienceLevel: 'EXPERT' }],
    ['workload', { workload: '30+ hrs/week' }],
    ['paymentVerifiedOnly', { paymentVerifiedOnly: null }],
    ['previousClientsOnly', { previousClientsOnly: 'true' }],
    ['locations', { locations: Array.from({ length: 21 }, (_, i) => `Place ${i}`) }],
    ['locations/0', { locations: [''] }],
  ])('answer 400 with the pointer /%s to %j, in POST and PATCH', async (pointer, values) => {
    const { body: search } = await create({});

    const created = await ann.post('/v1/saved-searches', { name: 'Two', query: 'sql', ...values });
    const changed = await ann.patch(`/v1/saved-searches/${search.id}`, values);

    for (const { status, body } of [created, changed]) {
      expect([status, body.code, body.errors[0].pointer]).toEqual([400, 'validation.failed', `/${pointer}`]);
    }
  });

  it('answer 400 to a minimum above the stored maximum', async () => {
    const { body: search } = await create({ budgetMax: 900 });

    const { status, body } = await ann.patch(`/v1/saved-searches/${search.id}`, { budgetMin: 901 });

    expect([status, body.errors[0]]).toMatchObject([
      400,
      { pointer: '/budgetMin', message: 'budgetMin must not be above budgetMax.' },
    ]);
  });

  it('are applied by Upwork, and a changed one makes the search start over', async () => {
    ann = await upworkApp.connectUser();
    const { body: search } = await create(FILTERS);
    const path = `/v1/saved-searches/${search.id}`;
    await upworkApp.synchronize(ann, 'jobs');

    const filters = upworkApp.upwork.calls
      .filter(({ operation }) => operation === 'SearchJobs')
      .map(({ variables }) => (variables as { filter: object }).filter);
    expect(filters).toMatchObject([
      {
        searchExpression_eq: 'sql',
        jobType_eq: 'HOURLY',
        experienceLevel_eq: 'EXPERT',
        workload_eq: 'PART_TIME',
        budgetRange_eq: { rangeStart: 0, rangeEnd: 1_000_000 },
        hourlyRate_eq: { rangeStart: 40, rangeEnd: 40 },
        clientHiresRange_eq: { rangeStart: 1, rangeEnd: 100 },
        proposalRange_eq: { rangeStart: 0, rangeEnd: 20 },
        verifiedPaymentOnly_eq: true,
        previousClients_eq: true,
        locations_any: FILTERS.locations,
      },
    ]);
    const searched = (await ann.get(path)).body;
    expect(searched).toMatchObject({ lastSearchedAt: expect.any(String), lastError: null });
    expect((await ann.patch(path, { locations: FILTERS.locations, alertHours: 5 })).body.lastSearchedAt).toBe(
      searched.lastSearchedAt,
    );
    expect((await ann.patch(path, { locations: ['Malta'] })).body.lastSearchedAt).toBeNull();
  });

  it('belong to searches that are created, changed, listed and deleted', async () => {
    const created = await ann.post('/v1/saved-searches', { name: 'One', query: 'sql', jobType: 'fixed' });
    expect([created.status, created.headers.get('location')]).toEqual([201, `/v1/saved-searches/${created.body.id}`]);
    expect((await ann.post('/v1/saved-searches', { name: 'One', query: 'x' })).body.code).toBe(
      'saved_search.already_exists',
    );

    const changed = await ann.patch(`/v1/saved-searches/${created.body.id}`, { jobType: null, alertHours: 12 });
    expect(changed.body).toMatchObject({ name: 'One', jobType: null, alertHours: 12, version: 2 });
    expect((await ann.get('/v1/saved-searches')).body.items).toEqual([changed.body]);
    expect((await ann.delete(`/v1/saved-searches/${created.body.id}`)).status).toBe(204);
    expect((await ann.get(`/v1/saved-searches/${created.body.id}`)).status).toBe(404);
  });
});
