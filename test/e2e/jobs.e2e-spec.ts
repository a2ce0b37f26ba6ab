import { randomUUID } from 'node:crypto';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { buildJob } from '../support/factories/job.factory';

const NOWHERE = 999_999_999;

const FACTS = {
  postedAt: '2026-11-20T08:14:02.000Z',
  renewedAt: '2026-11-21T06:00:00.000Z',
  clientSpent: '23420.42',
  clientSpentCurrency: 'EUR',
  clientHires: 12,
  clientPostedJobs: 0,
  clientRating: 4.99,
  clientReviews: 9,
  clientPaymentVerified: false,
  clientMemberSince: '2019-03-02',
  applicants: 7,
  freelancersToHire: 1,
  isFilled: false,
  alreadyApplied: true,
  premium: false,
  enterprise: true,
  preferredLocations: ['Germany', 'Україна'],
  locationRequired: true,
};

describe('/v1/jobs', () => {
  let app: TestApp;
  let owner: SignedInCaller;
  let stranger: SignedInCaller;

  beforeAll(async () => {
    app = await startApp();
    owner = await createSignedInCaller(app);
    stranger = await createSignedInCaller(app);
  });
  afterAll(() => app.close());

  /** Audit rows of a job, oldest first. */
  const listAuditRows = (id: number) =>
    app.db.query<{
      action: string;
      user_id: number;
      actor_kind: string;
      actor_id: number;
      request_id: string;
      operation: string;
      old_values: object | null;
      new_values: Record<string, unknown> | null;
    }>('superuser', `SELECT * FROM audit_logs WHERE table_name = 'jobs' AND record_id = $1 ORDER BY id`, [id]);

  describe('POST', () => {
    it('answers 201 with the job, its Location and its ETag; absent fields are null or the default', async () => {
      const { status, headers, body } = await owner.post('/v1/jobs', { title: '  Fix   it ' });

      expect(status).toBe(201);
      expect(headers.get('location')).toBe(`/v1/jobs/${body.id}`);
      expect(headers.get('etag')).toBe('"1"');
      expect(body).toEqual({
        id: expect.any(Number),
        upworkJobId: null,
        title: 'Fix   it',
        description: null,
        budgetMin: null,
        budgetMax: null,
        hourlyRateMin: null,
        hourlyRateMax: null,
        currency: 'USD',
        skills: [],
        category: null,
        subcategory: null,
        country: null,
        clientInfo: null,
        jobType: null,
        experienceLevel: null,
        duration: null,
        workload: null,
        postedAt: null,
        renewedAt: null,
        clientSpent: null,
        clientSpentCurrency: null,
        clientHires: null,
        clientPostedJobs: null,
        clientRating: null,
        clientReviews: null,
        clientPaymentVerified: null,
        clientMemberSince: null,
        applicants: null,
        freelancersToHire: null,
        isFilled: null,
        alreadyApplied: null,
        premium: null,
        enterprise: null,
        preferredLocations: null,
        locationRequired: null,
        status: 'active',
        isFavorite: false,
        version: 1,
        createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
        updatedAt: body.createdAt,
      });
    });

    it('stores every field unchanged', async () => {
      const job = {
        upworkJobId: `~${randomUUID()}`,
        title: 'Слава 🚀 "quotes", commas',
        description: 'Line one\nline two',
        budgetMin: '0.00',
        budgetMax: '99999999.99',
        hourlyRateMin: '25.00',
        hourlyRateMax: '25.00',
        currency: 'EUR',
        skills: ['Node.js', 'C++', 'a,b', '"q"', '{x}', 'NULL'],
        category: 'Web, Mobile & Software Dev',
        subcategory: 'Web Development',
        country: 'Україна',
        clientInfo: { rating: 4.9, tags: ['a', { b: null }], deep: { toString: 'x' } },
        jobType: 'hourly',
        experienceLevel: 'expert',
        duration: '1 to 3 months',
        workload: '30+ hrs/week',
        ...FACTS,
        status: 'archived',
        isFavorite: true,
      };

      const created = await owner.post('/v1/jobs', job);
      const read = await owner.get(`/v1/jobs/${created.body.id}`);

      expect(created.status).toBe(201);
      expect(created.body).toMatchObject(job);
      expect(read.body).toEqual(created.body);
    });

    it('normalizes values: money with two places, distinct skills, upper-case currency, null for empty', async () => {
      const { body } = await owner.post('/v1/jobs', {
        title: 'Forms',
        budgetMin: '100',
        budgetMax: '0100.5',
        currency: 'eur',
        skills: [' SQL', 'SQL ', 'sql'],
        category: '  ',
      });

      expect(body).toMatchObject({
        budgetMin: '100.00',
        budgetMax: '100.50',
        currency: 'EUR',
        skills: ['SQL', 'sql'],
        category: null,
      });
    });

    it('refuses an Upwork id and a job that exist, but not those of another tenant', async () => {
      const withId = buildJob({ upworkJobId: randomUUID() });
      const withoutId = buildJob({ title: randomUUID(), clientInfo: { a: 1, b: [2] } });
      await owner.post('/v1/jobs', withId);
      await owner.post('/v1/jobs', withoutId);

      const again = await owner.post('/v1/jobs', { ...withId, title: 'Another title' });
      const same = await owner.post('/v1/jobs', { ...withoutId, clientInfo: { b: [2], a: 1 }, isFavorite: true });
      const other = await owner.post('/v1/jobs', { ...withoutId, country: 'Malta' });
      const later = await owner.post('/v1/jobs', { ...withoutId, postedAt: '2026-01-01T00:00:00Z' });
      const latest = await owner.post('/v1/jobs', { ...withoutId, postedAt: '2026-01-02T00:00:00Z' });
      const theirs = await stranger.post('/v1/jobs', withId);

      expect([again.status, again.body.code, again.body.errors[0].pointer]).toEqual([
        409,
        'job.already_exists',
        '/upworkJobId',
      ]);
      expect([same.status, same.body.code]).toEqual([409, 'job.already_exists']);
      expect([other, later, latest, theirs].map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    });

    it('creates one job for two concurrent requests with the same Upwork id', async () => {
      const upworkJobId = randomUUID();

      const answers = await Promise.all([1, 2, 3].map(() => owner.post('/v1/jobs', buildJob({ upworkJobId }))));

      expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    });

    it.each([
      ['no title', { title: undefined }, '/title'],
      ['a blank title', { title: ' ' }, '/title'],
      ['null as title', { title: null }, '/title'],
      ['money as a number', { budgetMin: 100 }, '/budgetMin'],
      ['three places', { budgetMin: '1.005' }, '/budgetMin'],
      ['negative money', { hourlyRateMin: '-1.00' }, '/hourlyRateMin'],
      ['NaN as money', { budgetMax: 'NaN' }, '/budgetMax'],
      ['1e400 as money', { budgetMax: '1e400' }, '/budgetMax'],
      ['money beyond numeric(10,2)', { budgetMax: '100000000.00' }, '/budgetMax'],
      ['a budget turned round', { budgetMin: '10.00', budgetMax: '9.99' }, '/budgetMin'],
      ['rates turned round', { hourlyRateMin: '100.00', hourlyRateMax: '20.00' }, '/hourlyRateMin'],
      ['an unknown currency', { currency: 'XYZ' }, '/currency'],
      ['null as currency', { currency: null }, '/currency'],
      ['skills as text', { skills: 'SQL' }, '/skills'],
      ['null as skills', { skills: null }, '/skills'],
      ['51 skills', { skills: Array.from({ length: 51 }, (_, i) => `s${i}`) }, '/skills'],
      ['a blank skill', { skills: ['SQL', ' '] }, '/skills/1'],
      ['a skill that is a number', { skills: ['SQL', 5] }, '/skills/1'],
      ['clientInfo as a list', { clientInfo: [] }, '/clientInfo'],
      [
        'clientInfo of 9 levels',
        { clientInfo: { a: { a: { a: { a: { a: { a: { a: { a: {} } } } } } } } } },
        '/clientInfo',
      ],
      ['clientInfo of 17 KiB', { clientInfo: { a: 'x'.repeat(17_000) } }, '/clientInfo'],
      ['an unknown job type', { jobType: 'weekly' }, '/jobType'],
      ['an unknown level', { experienceLevel: 'Expert' }, '/experienceLevel'],
      ['status deleted', { status: 'deleted' }, '/status'],
      ['a favourite as text', { isFavorite: 'true' }, '/isFavorite'],
      ['a title of 501 characters', { title: 'x'.repeat(501) }, '/title'],
      ['a description of 50,001 characters', { description: 'x'.repeat(50_001) }, '/description'],
      ['an Upwork id of 101 characters', { upworkJobId: 'x'.repeat(101) }, '/upworkJobId'],
      ['a time without a zone', { postedAt: '2026-11-20T08:14:02' }, '/postedAt'],
      ['a day that does not exist', { clientMemberSince: '2019-02-30' }, '/clientMemberSince'],
      ['an amount spent as a number', { clientSpent: 23420 }, '/clientSpent'],
      ['an unknown currency of it', { clientSpentCurrency: 'XYZ' }, '/clientSpentCurrency'],
      ['a rating above 5', { clientRating: 5.01 }, '/clientRating'],
      ['a rating of three places', { clientRating: 4.999 }, '/clientRating'],
      ['a negative number of hires', { clientHires: -1 }, '/clientHires'],
      ['half an applicant', { applicants: 0.5 }, '/applicants'],
      ['1,000,001 freelancers to hire', { freelancersToHire: 1_000_001 }, '/freelancersToHire'],
      ['yes as a boolean', { clientPaymentVerified: 'yes' }, '/clientPaymentVerified'],
      ['a blank place', { preferredLocations: ['Malta', ''] }, '/preferredLocations/1'],
      ['51 places', { preferredLocations: Array.from({ length: 51 }, (_, i) => `p${i}`) }, '/preferredLocations'],
      ['a forged tenant', { userId: 1 }, '/userId'],
      ['a forged source key', { sourceKey: 'upwork:1' }, '/sourceKey'],
      ['a version', { version: 7 }, '/version'],
    ])('refuses %s with 400 and a pointer', async (_, values, pointer) => {
      const { status, headers, body } = await owner.post('/v1/jobs', buildJob(values));

      expect(status).toBe(400);
      expect(headers.get('content-type')).toContain('application/problem+json');
      expect(body.code).toBe('validation.failed');
      expect(body.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
    });

    it('accepts every length and number at its limit', async () => {
      const { status } = await owner.post('/v1/jobs', {
        title: '🚀'.repeat(500),
        description: 'слово '.repeat(8_333),
        upworkJobId: '~'.repeat(100),
        skills: Array.from({ length: 50 }, (_, i) => `${i}`.padEnd(100, 'ж')),
        clientInfo: { text: 'x'.repeat(16_000) },
      });

      expect(status).toBe(201);
    });

    it('adds one audit row with actor, request and operation, and none when refused', async () => {
      const { headers, body } = await owner.post('/v1/jobs', buildJob({ title: randomUUID() }));
      const [before] = await app.db.query<{ count: number }>('superuser', 'SELECT count(*) FROM audit_logs');
      await owner.post('/v1/jobs', buildJob({ title: body.title }));
      const [after] = await app.db.query<{ count: number }>('superuser', 'SELECT count(*) FROM audit_logs');

      expect(await listAuditRows(body.id)).toEqual([
        expect.objectContaining({
          action: 'INSERT',
          user_id: owner.id,
          actor_kind: 'user',
          actor_id: owner.id,
          request_id: headers.get('x-request-id'),
          operation: 'POST /v1/jobs',
          old_values: null,
          new_values: expect.objectContaining({ title: body.title, budget_min: 500, skills: ['PostgreSQL', 'SQL'] }),
        }),
      ]);
      expect(after).toEqual(before);
    });
  });

  describe('GET :id', () => {
    it('answers 304 for the known version, and 404 for ids of others and unknown ids', async () => {
      const { body: job } = await owner.post('/v1/jobs', buildJob({ title: randomUUID() }));

      const known = await owner.get(`/v1/jobs/${job.id}`, { 'if-none-match': '"1"' });
      const foreign = await stranger.get(`/v1/jobs/${job.id}`);
      const missing = await owner.get(`/v1/jobs/${NOWHERE}`);

      expect([known.status, known.body]).toEqual([304, undefined]);
      expect([foreign.status, foreign.body.code]).toEqual([404, 'job.not_found']);
      expect([missing.status, missing.body.code]).toEqual([404, 'job.not_found']);
    });
  });

  it.each([
    ['XCG', 201],
    ['XXX', 400],
    ['XTS', 400],
  ])('answers the currency %s with %d', async (currency, expected) => {
    const { status, body } = await owner.post('/v1/jobs', buildJob({ title: randomUUID(), currency }));

    expect(status).toBe(expected);
    expect(body.currency ?? body.errors[0].pointer).toBe(expected === 201 ? currency : '/currency');
  });

  it('imports a file in US-ASCII', async () => {
    const { status, body } = await owner.post('/v1/jobs/import', `title\n${randomUUID()}\n`, {
      'content-type': 'text/csv; charset=us-ascii',
    });

    expect([status, body.created]).toEqual([200, 1]);
  });

  it('finds a skill with a comma by its quoted name', async () => {
    const skill = `Writing, ${randomUUID()}`;
    const { body: job } = await owner.post('/v1/jobs', buildJob({ title: randomUUID(), skills: [skill] }));
    const idsOf = async (query: string): Promise<number[]> =>
      (await owner.get(`/v1/jobs?${query}`)).body.items.map(({ id }: { id: number }) => id);
    const quoted = encodeURIComponent(`"${skill}"`);

    expect(await idsOf(`skills=${quoted}`)).toEqual([job.id]);
    expect(await idsOf(`anySkills=${quoted},None`)).toEqual([job.id]);
    expect(await idsOf(`skills=${skill}`)).toEqual([]);
  });

  it('reads a leap second as the first instant of the next minute', async () => {
    const { body: job } = await owner.post('/v1/jobs', buildJob({ title: randomUUID() }));
    await app.db.query('superuser', `UPDATE jobs SET created_at = '2017-01-01T00:00:00Z' WHERE id = $1`, [job.id]);
    const leap = '2016-12-31T23:59:60Z';

    const { status, body } = await owner.get(`/v1/jobs?createdFrom=${leap}&createdTo=${leap}`);

    expect([status, body.items]).toMatchObject([200, [{ id: job.id }]]);
  });

  describe('PATCH :id', () => {
    it('updates the fields in the patch, clears by null, and adds one audit row', async () => {
      const { body: job } = await owner.post('/v1/jobs', buildJob({ title: randomUUID(), country: 'Malta' }));

      const { status, headers, body } = await owner.patch(
        `/v1/jobs/${job.id}`,
        { isFavorite: true, country: null, skills: ['Go'] },
        { 'if-match': '"1"', 'content-type': 'application/merge-patch+json' },
      );

      expect(status).toBe(200);
      expect(headers.get('etag')).toBe('"2"');
      expect(body).toEqual({
        ...job,
        isFavorite: true,
        country: null,
        skills: ['Go'],
        version: 2,
        updatedAt: expect.any(String),
      });
      expect(Date.parse(body.updatedAt)).toBeGreaterThanOrEqual(Date.parse(job.updatedAt));
      const [, change] = await listAuditRows(job.id);
      expect(change).toMatchObject({
        action: 'UPDATE',
        request_id: headers.get('x-request-id'),
        old_values: { is_favorite: false, country: 'Malta', skills: ['PostgreSQL', 'SQL'] },
        new_values: { is_favorite: true, country: null, skills: ['Go'] },
      });
    });

    it('changes and clears facts with an audit row each, and writes nothing for equal ones', async () => {
      const { body: job } = await owner.post('/v1/jobs', { title: randomUUID(), ...FACTS });
      const path = `/v1/jobs/${job.id}`;

      const same = await owner.patch(path, { ...FACTS, postedAt: '2026-11-20T09:14:02+01:00' });
      const changed = await owner.patch(path, { applicants: 8, clientRating: 5, postedAt: '2026-11-22T08:00:00Z' });
      const cleared = await owner.patch(path, Object.fromEntries(Object.keys(FACTS).map((name) => [name, null])));

      expect(same.body).toEqual(job);
      expect(changed.body).toMatchObject({ applicants: 8, clientRating: 5, postedAt: '2026-11-22T08:00:00.000Z' });
      expect(cleared.body).toMatchObject({ version: 3, postedAt: null, preferredLocations: null, isFilled: null });
      const [, change, clearing] = await listAuditRows(job.id);
      expect(change).toMatchObject({ old_values: { applicants: 7, client_rating: 4.99 } });
      expect(Object.keys(change!.new_values!)).toEqual(
        expect.arrayContaining(['applicants', 'client_rating', 'posted_at']),
      );
      expect(clearing!.new_values).toMatchObject({ client_spent: null, preferred_locations: null });
      expect(await listAuditRows(job.id)).toHaveLength(3);
    });

    it('writes nothing when nothing changes', async () => {
      const { body: job } = await owner.post(
        '/v1/jobs',
        buildJob({ title: randomUUID(), clientInfo: { b: 1, a: [2] } }),
      );

      const same = await owner.patch(`/v1/jobs/${job.id}`, {
        title: ` ${job.title} `,
        budgetMin: '500',
        clientInfo: { a: [2], b: 1 },
      });
      const empty = await owner.patch(`/v1/jobs/${job.id}`, {});

      expect([same.status, empty.status]).toEqual([200, 200]);
      expect([same.body, empty.body]).toEqual([job, job]);
      expect(await listAuditRows(job.id)).toHaveLength(1);
    });

    it('merges clientInfo level by level and checks the limits of the result', async () => {
      const clientInfo = { a: 1, b: { c: 2 }, keep: true };
      const { body: job } = await owner.post('/v1/jobs', buildJob({ title: randomUUID(), clientInfo }));
      const path = `/v1/jobs/${job.id}`;

      const merged = await owner.patch(path, { clientInfo: { a: null, b: { d: 3 } } });
      const filled = await owner.patch(path, { clientInfo: { text: 'x'.repeat(9_000) } });
      const beyond = await owner.patch(path, { clientInfo: { more: 'x'.repeat(9_000) } });
      const swapped = await owner.patch(path, { clientInfo: { text: null, more: 'x'.repeat(9_000) } });
      const cleared = await owner.patch(path, { clientInfo: null });
      const begun = await owner.patch(path, { clientInfo: { a: { b: null, c: [null] } } });

      expect(merged.body.clientInfo).toEqual({ b: { c: 2, d: 3 }, keep: true });
      expect(filled.status).toBe(200);
      expect([beyond.status, beyond.body.errors[0].pointer]).toEqual([400, '/clientInfo']);
      expect(Object.keys(swapped.body.clientInfo)).toEqual(['b', 'keep', 'more']);
      expect(cleared.body.clientInfo).toBeNull();
      expect(begun.body.clientInfo).toEqual({ a: { c: [null] } });
    });

    it('answers 412 to a stale version, after 404', async () => {
      const { body: job } = await owner.post('/v1/jobs', buildJob({ title: randomUUID() }));
      await owner.patch(`/v1/jobs/${job.id}`, { isFavorite: true });

      const stale = await owner.patch(`/v1/jobs/${job.id}`, { title: 'Late' }, { 'if-match': '"1"' });
      const foreign = await stranger.patch(`/v1/jobs/${job.id}`, { title: 'Mine' }, { 'if-match': '"1"' });
      const fresh = await owner.patch(`/v1/jobs/${job.id}`, { title: randomUUID() }, { 'if-match': '"2"' });

      expect([stale.status, stale.body.code]).toEqual([412, 'precondition.failed']);
      expect([foreign.status, foreign.body.code]).toEqual([404, 'job.not_found']);
      expect(fresh.status).toBe(200);
      expect(await listAuditRows(job.id)).toHaveLength(3);
    });

    it('checks a range with the stored end', async () => {
      const { body: job } = await owner.post('/v1/jobs', buildJob({ title: randomUUID() }));

      const above = await owner.patch(`/v1/jobs/${job.id}`, { budgetMin: '1000.01' });
      const both = await owner.patch(`/v1/jobs/${job.id}`, { budgetMin: '2000.00', budgetMax: '3000.00' });
      const cleared = await owner.patch(`/v1/jobs/${job.id}`, { budgetMax: null });

      expect([above.status, above.body.errors[0].pointer]).toEqual([400, '/budgetMin']);
      expect([both.status, cleared.status]).toEqual([200, 200]);
    });

    it('refuses a change that would duplicate another job', async () => {
      const upworkJobId = randomUUID();
      await owner.post('/v1/jobs', buildJob({ upworkJobId }));
      const { body: job } = await owner.post('/v1/jobs', buildJob({ title: randomUUID() }));

      const { status, body } = await owner.patch(`/v1/jobs/${job.id}`, { upworkJobId });

      expect([status, body.code]).toEqual([409, 'job.already_exists']);
      expect((await owner.get(`/v1/jobs/${job.id}`)).body).toEqual(job);
    });

    it.each([
      ['null as title', { title: null }, '/title'],
      ['status deleted', { status: 'deleted' }, '/status'],
      ['null as status', { status: null }, '/status'],
      ['null as favourite', { isFavorite: null }, '/isFavorite'],
      ['null as skills', { skills: null }, '/skills'],
      ['an id', { id: 5 }, '/id'],
      ['a creation time', { createdAt: '2026-01-01T00:00:00Z' }, '/createdAt'],
      ['a version', { version: 5 }, '/version'],
      ['money as a number', { budgetMin: 5 }, '/budgetMin'],
    ])('refuses %s with 400 and a pointer', async (_, changes, pointer) => {
      const { body: job } = await owner.post('/v1/jobs', buildJob({ title: randomUUID() }));

      const { status, body } = await owner.patch(`/v1/jobs/${job.id}`, changes);

      expect([status, body.errors[0].pointer]).toEqual([400, pointer]);
    });

    it('gives one of two parallel changes with the same version a 412', async () => {
      const { body: job } = await owner.post('/v1/jobs', buildJob({ title: randomUUID() }));

      const answers = await Promise.all(
        ['A', 'B', 'C', 'D'].map((title) =>
          owner.patch(`/v1/jobs/${job.id}`, { title: title + job.title }, { 'if-match': '"1"' }),
        ),
      );

      expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412]);
    });
  });

  describe('DELETE :id', () => {
    it('sets the status; reads and history still answer, and PATCH restores the job', async () => {
      const { body: job } = await owner.post('/v1/jobs', buildJob({ title: randomUUID() }));

      const removed = await owner.delete(`/v1/jobs/${job.id}`, undefined, { 'if-match': '"1"' });
      const again = await owner.delete(`/v1/jobs/${job.id}`);
      const read = await owner.get(`/v1/jobs/${job.id}`);
      const history = await owner.get(`/v1/jobs/${job.id}/history`);
      const back = await owner.patch(`/v1/jobs/${job.id}`, { status: 'active' });

      expect([removed.status, removed.body, again.status]).toEqual([204, undefined, 204]);
      expect(read.body).toMatchObject({ status: 'deleted', version: 2 });
      expect(history.body.items[0].changes).toEqual({ status: { old: 'active', new: 'deleted' } });
      expect(back.body).toMatchObject({ status: 'active', version: 3 });
    });

    it('answers 404 for a job of another tenant and 412 for a stale version', async () => {
      const { body: job } = await owner.post('/v1/jobs', buildJob({ title: randomUUID() }));

      const foreign = await stranger.delete(`/v1/jobs/${job.id}`, undefined, { 'if-match': '"9"' });
      const stale = await owner.delete(`/v1/jobs/${job.id}`, undefined, { 'if-match': '"9"' });

      expect([foreign.status, stale.status]).toEqual([404, 412]);
      expect((await owner.get(`/v1/jobs/${job.id}`)).body).toEqual(job);
    });
  });

  describe('GET :id/history', () => {
    it('lists changes newest first with the API’s field names, by pages, and none to another user', async () => {
      const { body: job } = await owner.post('/v1/jobs', buildJob({ title: randomUUID() }));
      await owner.patch(`/v1/jobs/${job.id}`, { budgetMax: '1500.5', isFavorite: true });
      await owner.patch(`/v1/jobs/${job.id}`, { status: 'archived' });

      const first = await owner.get(`/v1/jobs/${job.id}/history?limit=2`);
      const second = await owner.get(`/v1/jobs/${job.id}/history?limit=2&cursor=${first.body.nextCursor}`);
      const foreign = await stranger.get(`/v1/jobs/${job.id}/history`);

      expect(first.body.items).toMatchObject([
        { action: 'UPDATE', changes: { status: { old: 'active', new: 'archived' } } },
        { changes: { budgetMax: { old: '1000.00', new: '1500.50' }, isFavorite: { old: false, new: true } } },
      ]);
      expect(second.body).toMatchObject({ items: [{ action: 'INSERT' }], nextCursor: null });
      expect([foreign.status, foreign.body.code]).toEqual([404, 'job.not_found']);
    });
  });

  describe('Idempotency-Key', () => {
    it('creates one job for two requests', async () => {
      const job = buildJob({ title: randomUUID() });
      const headers = { 'idempotency-key': randomUUID() };

      const first = await owner.post('/v1/jobs', job, headers);
      const second = await owner.post('/v1/jobs', job, headers);

      expect([first.status, second.status]).toEqual([201, 201]);
      expect(second.body).toEqual(first.body);
      expect(second.headers.get('idempotent-replayed')).toBe('true');
      expect(second.headers.get('location')).toBe(`/v1/jobs/${first.body.id}`);
    });
  });
});
