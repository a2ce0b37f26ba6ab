import { randomUUID } from 'node:crypto';
import { startApp, type TestApp } from '../support/test-app';
import { createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { buildJob } from '../support/factories/job.factory';

/** Jobs that differ in the filtered fields, identified by their titles. */
const JOBS = [
  {
    title: 'A shop in WordPress',
    description: 'Sell café crème online.',
    category: 'Web, Mobile & Software Dev',
    subcategory: 'Ecommerce',
    country: 'Germany',
    skills: ['PHP', 'WordPress'],
    jobType: 'fixed',
    experienceLevel: 'entry',
    budgetMin: '100.00',
    budgetMax: '200.00',
  },
  {
    title: 'B reports in PostgreSQL',
    description: 'Slow queries made fast.',
    category: 'Data Science',
    subcategory: 'Ecommerce',
    country: 'Ukraine',
    skills: ['PostgreSQL', 'SQL'],
    jobType: 'fixed',
    experienceLevel: 'expert',
    budgetMin: '150.00',
    budgetMax: '1000.00',
    isFavorite: true,
  },
  {
    title: 'C backend in Node.js',
    category: 'Web, Mobile & Software Dev',
    country: 'Ukraine',
    skills: ['Node.js', 'PostgreSQL'],
    jobType: 'hourly',
    experienceLevel: 'expert',
    hourlyRateMin: '25.00',
    hourlyRateMax: '35.00',
    status: 'archived',
  },
  {
    title: 'D a rate from 40 on',
    skills: ['SQL', 'PHP'],
    jobType: 'hourly',
    experienceLevel: 'intermediate',
    hourlyRateMin: '40.00',
  },
  { title: 'E a budget up to 50', skills: [], jobType: 'fixed', budgetMax: '50.00' },
  { title: 'F deleted', skills: ['PostgreSQL'] },
];

const listInitials = (body: { items: { title: string }[] }): string => body.items.map(({ title }) => title[0]).join('');

describe('GET /v1/jobs', () => {
  let app: TestApp;
  let owner: SignedInCaller;
  let stranger: SignedInCaller;

  beforeAll(async () => {
    app = await startApp();
    owner = await createSignedInCaller(app);
    stranger = await createSignedInCaller(app);
    for (const job of JOBS) {
      const { body } = await owner.post('/v1/jobs', job);
      if (job.title.startsWith('F')) await owner.delete(`/v1/jobs/${body.id}`);
    }
    await stranger.post('/v1/jobs', buildJob({ title: "Z a stranger's, in PostgreSQL", skills: ['PostgreSQL'] }));
  });
  afterAll(() => app.close());

  it.each([
    ['', 'EDCBA'],
    ['q=cafe', 'A'],
    ['q=CRÈME%20online', 'A'],
    ['q=postgresql', 'CB'],
    ['q=%22slow%20queries%22', 'B'],
    ['q=%22queries%20slow%22', ''],
    ['q=postgresql%20-node.js', 'B'],
    ['q=wordpress%20or%20backend', 'CA'],
    ['q=%27%3B%20DROP%20TABLE%20jobs%3B%20--%20%26%20%7C%20!', ''],
    ['status=active', 'EDBA'],
    ['status=archived', 'C'],
    ['status=deleted', 'F'],
    ['status=archived,deleted', 'FC'],
    ['status=archived&status=active', 'EDCBA'],
    ['category=Web,%20Mobile%20%26%20Software%20Dev', 'CA'],
    ['subcategory=Ecommerce', 'BA'],
    ['country=Ukraine', 'CB'],
    ['jobType=hourly', 'DC'],
    ['jobType=hourly,fixed', 'EDCBA'],
    ['experienceLevel=entry,expert', 'CBA'],
    ['skills=PostgreSQL', 'CB'],
    ['skills=PostgreSQL,SQL', 'B'],
    ['skills=PostgreSQL&skills=SQL', 'B'],
    ['skills=postgresql', ''],
    ['anySkills=PHP,SQL', 'DBA'],
    ['skills=PHP&anySkills=SQL,WordPress', 'DA'],
    ['budgetMin=200', 'BA'],
    ['budgetMin=200.01', 'B'],
    ['budgetMin=1000.01', ''],
    ['budgetMax=100', 'EA'],
    ['budgetMax=99.99', 'E'],
    ['budgetMin=120&budgetMax=140', 'A'],
    ['budgetMin=0&budgetMax=99999999.99', 'EBA'],
    ['hourlyRateMin=35', 'DC'],
    ['hourlyRateMin=36', 'D'],
    ['hourlyRateMax=30', 'C'],
    ['hourlyRateMin=90&hourlyRateMax=100', 'D'],
    ['isFavorite=true', 'B'],
    ['isFavorite=false', 'EDCA'],
    ['createdFrom=2020-01-01T00:00:00Z', 'EDCBA'],
    ['createdTo=2020-01-01T00:00:00%2B02:00', ''],
    ['q=sql&skills=SQL&status=active&budgetMin=1&isFavorite=true&country=Ukraine&jobType=fixed&sort=title', 'B'],
    ['sort=createdAt', 'ABCDE'],
    ['sort=title', 'ABCDE'],
    ['sort=-title', 'EDCBA'],
    ['sort=budgetMax', 'EABCD'],
    ['sort=-budgetMax', 'BAEDC'],
    ['sort=hourlyRateMax', 'CABDE'],
    ['sort=-hourlyRateMax', 'CEDBA'],
  ])('with %s lists %s', async (query, expected) => {
    const { status, body } = await owner.get(`/v1/jobs?${query}`);

    expect([status, listInitials(body), body.nextCursor]).toEqual([200, expected, null]);
  });

  it('lists the same fields as GET of the job', async () => {
    const { body } = await owner.get('/v1/jobs?isFavorite=true');

    expect((await owner.get(`/v1/jobs/${body.items[0].id}`)).body).toEqual(body.items[0]);
  });

  it('treats createdFrom and createdTo as inclusive, to the millisecond', async () => {
    const { body } = await owner.get('/v1/jobs?sort=createdAt');
    const at = encodeURIComponent(body.items[2].createdAt);

    const one = await owner.get(`/v1/jobs?createdFrom=${at}&createdTo=${at}`);

    expect(listInitials(one.body)).toContain('C');
  });

  it.each([
    ['sort=price', '/sort'],
    ['sort=title&sort=createdAt', '/sort'],
    ['status=gone', '/status/0'],
    ['jobType=fixed,weekly', '/jobType/1'],
    ['experienceLevel=Expert', '/experienceLevel/0'],
    ['isFavorite=yes', '/isFavorite'],
    ['budgetMin=-1', '/budgetMin'],
    ['budgetMin=1e400', '/budgetMin'],
    ['budgetMax=NaN', '/budgetMax'],
    ['budgetMin=2&budgetMax=1', '/budgetMin'],
    ['hourlyRateMin=2&hourlyRateMax=1', '/hourlyRateMin'],
    ['createdFrom=yesterday', '/createdFrom'],
    ['createdTo=2026-02-30T00:00:00Z', '/createdTo'],
    ['createdTo=2026-02-01', '/createdTo'],
    ['q=', '/q'],
    [`q=${'x'.repeat(201)}`, '/q'],
    ['category=a&category=b', '/category'],
    [`skills=${'x'.repeat(101)}`, '/skills/0'],
    ['limit=0', '/limit'],
    ['clientSpentMin=-1', '/clientSpentMin'],
    ['clientRatingMin=5.5', '/clientRatingMin'],
    ['clientRatingMin=good', '/clientRatingMin'],
    ['clientHiresMin=1.5', '/clientHiresMin'],
    ['applicantsMax=-1', '/applicantsMax'],
    ['postedFrom=today', '/postedFrom'],
    ['paymentVerified=1', '/paymentVerified'],
    ['excludeFilled=yes', '/excludeFilled'],
    ['sort=postedAt', '/sort'],
    ['limit=101', '/limit'],
    ['limit=ten', '/limit'],
    ['cursor=nonsense', '/cursor'],
    ['colour=red', '/colour'],
  ])('refuses %s with 400 and a pointer', async (query, pointer) => {
    const { status, body } = await owner.get(`/v1/jobs?${query}`);

    expect([status, body.errors[0].pointer]).toEqual([400, pointer]);
  });

  describe('by pages', () => {
    let pager: SignedInCaller;
    const sorts = [
      'createdAt',
      '-createdAt',
      'budgetMax',
      '-budgetMax',
      'hourlyRateMax',
      '-hourlyRateMax',
      'title',
      '-title',
      '-postedAt',
      '-clientSpent',
      '-clientRating',
      'applicants',
    ];

    beforeEach(async () => {
      pager = await createSignedInCaller(app);
      // One statement, so all have the same time; titles and amounts repeat, and some amounts are missing.
      const rows = Array.from({ length: 23 }, (_, i) => ({
        upworkJobId: `page-${i}`,
        title: `Title ${i % 4}`,
        ...(i % 3 === 0
          ? {}
          : {
              budgetMax: `${i % 5}.00`,
              hourlyRateMax: `${i % 2}.50`,
              postedAt: `2026-01-0${1 + (i % 5)}T08:00:00.123456Z`,
              clientSpent: `${i % 5}.50`,
              clientRating: (i % 5) + 0.07,
              applicants: i % 5,
            }),
      }));
      await pager.post('/v1/jobs/import', rows);
    });

    /** Returns all ids of a list, page by page; `between` runs after each page. */
    async function walk(query: string, between: () => Promise<unknown> = async () => undefined): Promise<number[]> {
      const ids: number[] = [];
      for (let cursor = ''; ;) {
        const { status, body } = await pager.get(`/v1/jobs?limit=4&${query}${cursor}`);
        expect(status).toBe(200);
        ids.push(...body.items.map(({ id }: { id: number }) => id));
        if (body.nextCursor === null) return ids;
        cursor = `&cursor=${body.nextCursor}`;
        await between();
      }
    }

    it.each(sorts)(
      'sorted by %s gives every job once and in one order, though keys are equal or missing',
      async (sort) => {
        const whole = await pager.get(`/v1/jobs?limit=100&sort=${sort}`);

        const ids = await walk(`sort=${sort}`);

        expect(new Set(ids).size).toBe(23);
        expect(ids).toEqual(whole.body.items.map(({ id }: { id: number }) => id));
      },
    );

    it.each([
      ['-postedAt', 'postedAt'],
      ['-clientSpent', 'clientSpent'],
      ['-clientRating', 'clientRating'],
      ['applicants', 'applicants'],
    ])('sorted by %s gives the values in order, and the jobs without one last', async (sort, field) => {
      const { body } = await pager.get(`/v1/jobs?limit=100&sort=${sort}`);
      const values: (string | number | null)[] = body.items.map((job: Record<string, unknown>) => job[field]);

      const known = values.filter((value) => value !== null);
      const ordered = [...known].sort((a, b) => (a < b ? -1 : Number(a > b)));
      expect(known).toHaveLength(15);
      expect(values).toEqual([...(sort.startsWith('-') ? ordered.reverse() : ordered), ...Array(8).fill(null)]);
    });

    it.each(sorts)('sorted by %s neither repeats nor loses a job while others are created', async (sort) => {
      const before = await walk(`sort=${sort}`);

      const ids = await walk(`sort=${sort}`, () =>
        pager.post('/v1/jobs', buildJob({ title: 'Title 2', upworkJobId: randomUUID() })),
      );

      expect(new Set(ids).size).toBe(ids.length);
      expect(ids.filter((id) => before.includes(id))).toEqual(before);
    });

    it('refuses a cursor of another sort, another filter or another user', async () => {
      const { body } = await pager.get('/v1/jobs?limit=4');
      const cursor = `limit=4&cursor=${body.nextCursor}`;

      const answers = await Promise.all([
        pager.get(`/v1/jobs?${cursor}&sort=title`),
        pager.get(`/v1/jobs?${cursor}&status=active`),
        owner.get(`/v1/jobs?${cursor}`),
      ]);

      expect(answers.map(({ status, body: problem }) => [status, problem.code])).toEqual(
        Array(3).fill([400, 'cursor.invalid']),
      );
    });
  });
});
