import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { startApp, type TestApp } from '../support/test-app';
import { createAnonymousCaller, createSignedInCaller, type SignedInCaller } from '../support/accounts';
import { buildJob } from '../support/factories/job.factory';
import { pause } from '../support/wait-for';

const CSV = { 'content-type': 'text/csv' };
const NDJSON = { 'content-type': 'application/x-ndjson' };

/** All forms of a listing: both payments, all levels, missing values, counted skills, quotes, a repeated row. */
const LISTING = `Job Title,Hourly/Fixed,Budget,Level,Skills
"A shop, with ""cart""",Fixed price,"Est. budget:
$1,200.00",Intermediate,"Web Development, WordPress, CSS"
Reports in PostgreSQL,Hourly: $35.00 - $60.00,N/A,Expert,"PostgreSQL, SQL, +3"
Mentor – for a junior 🚀,Hourly,N/A,Entry Level,TypeScript
A logo,Fixed price,N/A,N/A,N/A
Mentor – for a junior 🚀,Hourly,N/A,Entry Level,TypeScript
`;

const counts = ({ errors: _errors, errorsOmitted: _omitted, ...rest }: Record<string, unknown>): unknown[] =>
  Object.values(rest);

describe('POST /v1/jobs/import', () => {
  let app: TestApp;
  let user: SignedInCaller;

  beforeAll(async () => {
    app = await startApp({ settings: { IMPORT_LIMIT_BYTES: String(8 * 1024 * 1024) } });
  });
  beforeEach(async () => {
    user = await createSignedInCaller(app);
  });
  afterAll(() => app.close());

  const importing = (body: unknown, headers: Record<string, string> = {}) =>
    user.post('/v1/jobs/import', body, headers);
  /** Returns the response to a client that writes its whole request before it reads. */
  const sentWhole = (body: Buffer): Promise<string> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(app.url);
      const socket = connect({ host: hostname, port: Number(port) })
        .on('error', reject)
        .pause();
      socket.write(
        `POST /v1/jobs/import HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${user.token}\r\n` +
          `content-type: text/csv\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`,
      );
      socket.write(body, () => {
        const chunks: Buffer[] = [];
        socket
          .on('data', (chunk) => chunks.push(chunk))
          .on('end', () => resolve(Buffer.concat(chunks).toString()))
          .resume();
      });
    });
  const jobs = async (query = '') => (await user.get(`/v1/jobs?sort=createdAt&limit=100&${query}`)).body.items;
  const auditRows = async () => {
    const [row] = await app.db.query<{ count: number }>(
      'superuser',
      'SELECT count(*) FROM audit_logs WHERE user_id = $1',
      [user.id],
    );
    return row?.count;
  };

  describe('of facts about client and competition', () => {
    const HEADER =
      'upwork_job_id;Title;Posted At;totalSpent;Client Spent Currency;client_hires;clientRating;Payment Verified;' +
      'Member since;Client Country;Proposals;is_filled;preferredFreelancerLocation';
    const ROW = (id: string, applicants: string): string =>
      `${id};Facts;2026-11-20T08:14:02+0000;23 420,42 €;eur;1,200;4,99;yes;2019-03-02;Malta;${applicants};no;` +
      '"Germany, Austria"';
    const FACTS = {
      postedAt: '2026-11-20T08:14:02.000Z',
      clientSpent: '23420.42',
      clientSpentCurrency: 'EUR',
      clientHires: 1_200,
      clientRating: 4.99,
      clientPaymentVerified: true,
      clientMemberSince: '2019-03-02',
      country: 'Malta',
      applicants: 7,
      isFilled: false,
      preferredLocations: ['Germany', 'Austria'],
    };

    it('reads them from CSV under the names of this API and of Upwork, and from JSON', async () => {
      const csv = await importing([HEADER, ROW('~01', '7')].join('\n'), CSV);
      const json = await importing([{ title: 'Facts of JSON', ...FACTS }]);

      expect([counts(csv.body), counts(json.body)]).toEqual([
        [1, 1, 0, 0, 0],
        [1, 1, 0, 0, 0],
      ]);
      const [fromCsv, fromJson] = await jobs();
      expect(fromCsv).toMatchObject(FACTS);
      expect(fromJson).toMatchObject(FACTS);
    });

    it('counts equal facts as unchanged, and another number of applicants as an audited change', async () => {
      const file = (applicants: string): string => [HEADER, ROW('~01', applicants)].join('\n');
      await importing(file('7'), CSV);
      const before = await auditRows();

      const same = await importing(file('7'), CSV);
      const more = await importing(file('8'), CSV);

      expect([counts(same.body), counts(more.body)]).toEqual([
        [1, 0, 0, 1, 0],
        [1, 0, 1, 0, 0],
      ]);
      expect(await auditRows()).toBe(before! + 1);
      expect((await jobs())[0]).toMatchObject({ applicants: 8, version: 2 });
    });

    it.each([
      ['proposals', '5 to 10', '/applicants'],
      ['clientRating', '5.5', '/clientRating'],
      ['postedAt', '2026-11-20', '/postedAt'],
      ['memberSince', 'March 2019', '/clientMemberSince'],
      ['totalSpent', '€100', '/clientSpent'],
      ['clientHires', '1.5', '/clientHires'],
      ['paymentVerified', 'maybe', '/clientPaymentVerified'],
    ])('reports the field of %s %j', async (column, cell, pointer) => {
      const { body } = await importing(`title,${column}\nA job,${cell}\n`, CSV);

      expect(body).toMatchObject({ total: 1, failed: 1, errors: [{ row: 1, pointer }] });
    });
  });

  describe('of an Upwork listing', () => {
    it('reads all forms of rows, in the order of the file', async () => {
      const { status, body } = await importing(LISTING, CSV);

      expect([status, body]).toEqual([
        200,
        { total: 5, created: 4, updated: 0, unchanged: 1, failed: 0, errors: [], errorsOmitted: 0 },
      ]);
      expect(await jobs()).toMatchObject([
        {
          title: 'A shop, with "cart"',
          jobType: 'fixed',
          budgetMin: '1200.00',
          budgetMax: '1200.00',
          hourlyRateMin: null,
          experienceLevel: 'intermediate',
          skills: ['Web Development', 'WordPress', 'CSS'],
          currency: 'USD',
        },
        {
          jobType: 'hourly',
          hourlyRateMin: '35.00',
          hourlyRateMax: '60.00',
          budgetMin: null,
          experienceLevel: 'expert',
          skills: ['PostgreSQL', 'SQL'],
        },
        { title: 'Mentor – for a junior 🚀', jobType: 'hourly', hourlyRateMin: null, experienceLevel: 'entry' },
        { title: 'A logo', jobType: 'fixed', budgetMax: null, experienceLevel: null, skills: [] },
      ]);
    });

    it('creates nothing a second time, also with other line endings or a byte order mark', async () => {
      await importing(LISTING, CSV);
      const audited = await auditRows();

      const again = await importing(LISTING, CSV);
      const windows = await importing(
        `\uFEFF${LISTING.replaceAll('\n', '\r\n').replace('budget:\r\n', 'budget:\n')}`,
        CSV,
      );

      expect(counts(again.body)).toEqual([5, 0, 0, 5, 0]);
      expect(counts(windows.body)).toEqual([5, 0, 0, 5, 0]);
      expect(await auditRows()).toBe(audited);
    });

    it('reports invalid rows and stores the others', async () => {
      const { body } = await importing(
        [
          'Job Title,Hourly/Fixed,Budget,Level,Skills',
          'One,Weekly,N/A,Expert,SQL',
          'Two,Fixed price,a lot,Expert,SQL',
          'Three,Fixed price,N/A,Guru,SQL',
          'Four,Hourly: $60.00 - $35.00,N/A,Expert,SQL',
          ',Hourly,N/A,Expert,SQL',
          'Six,Hourly,N/A,Expert,SQL',
        ].join('\n'),
        CSV,
      );

      expect(counts(body)).toEqual([6, 1, 0, 0, 5]);
      expect(body.errors.map(({ row, pointer }: { row: number; pointer: string }) => `${row}${pointer}`)).toEqual(
        expect.arrayContaining(['1/jobType', '2/budgetMin', '3/experienceLevel', '4/hourlyRateMin', '5/title']),
      );
    });
  });

  describe('of CSV', () => {
    it('reads all columns in camelCase and snake_case, in any order, and ignores empty cells', async () => {
      const { body } = await importing(
        [
          'title,upwork_job_id,budgetMin,budget_max,hourly_rate_min,hourlyRateMax,currency,skills,category,' +
            'subcategory,country,client_info,job_type,experienceLevel,duration,workload,status,is_favorite,description',
          'Full,u-1,1,2.5,3.00,4.00,EUR,"SQL, C++,SQL",Cat,' +
            'Sub,Malta,"{""rating"": 5}",fixed,expert,Long,Full time,archived,true,"Two',
          'lines"',
          'Bare,,,,,,,"[""a,b"",""c""]",,,,,,,,,,,',
        ].join('\n'),
        CSV,
      );

      expect(counts(body)).toEqual([2, 2, 0, 0, 0]);
      expect(await jobs()).toMatchObject([
        {
          title: 'Full',
          upworkJobId: 'u-1',
          budgetMin: '1.00',
          budgetMax: '2.50',
          currency: 'EUR',
          skills: ['SQL', 'C++'],
          clientInfo: { rating: 5 },
          status: 'archived',
          isFavorite: true,
          description: 'Two\nlines',
        },
        {
          title: 'Bare',
          upworkJobId: null,
          currency: 'USD',
          skills: ['a,b', 'c'],
          status: 'active',
          isFavorite: false,
        },
      ]);
    });

    it('reports each invalid row and stores the rest', async () => {
      const bad = Buffer.concat([
        Buffer.from('title,budget_min,client_info,is_favorite\nGood,1.00,,\nToo,many,,,cells\nFew\n'),
        Buffer.from('Latin-1 caf\xe9,,,\n', 'latin1'),
        Buffer.from(
          'NUL \0,,,\nMoney,1e400,,\nJson,,{a},\nList,,[1],\nMaybe,,,perhaps\n\n   \nLast "quoted",2.00,,false\n',
        ),
      ]);

      const { body } = await importing(bad, CSV);

      expect(counts(body)).toEqual([10, 2, 0, 0, 8]);
      expect(body.errors.map(({ row, pointer, code }: Record<string, string>) => `${row} ${pointer} ${code}`)).toEqual([
        '2  column_count',
        '3  column_count',
        '4 /title not_utf8',
        '5 /title unstorable_text',
        '6 /budgetMin matches',
        '7 /clientInfo malformed_json',
        '8 /clientInfo json_object',
        '9 /isFavorite is_boolean',
      ]);
      expect((await jobs()).map(({ title }: { title: string }) => title)).toEqual(['Good', 'Last "quoted"']);
    });

    it.each([
      ['a header of 500,000 columns', 'a,'.repeat(500_000)],
      ['a header of 40 columns', `${'a,'.repeat(40)}\n1\n`],
      ['a header of one long name', `${'a'.repeat(6_000)}\n1\n`],
    ])('refuses %s with a short answer', async (_, csv) => {
      const { status, body } = await importing(csv, CSV);

      expect([status, body.code, body.errors.length]).toEqual([400, 'import.malformed', 1]);
      expect(JSON.stringify(body).length).toBeLessThan(2_000);
    });

    const createdAs = async (csv: string | Buffer, created: object[], failed: string[] = []): Promise<void> => {
      const { status, body } = await importing(csv, CSV);

      expect([status, counts(body)]).toEqual([
        200,
        [created.length + failed.length, created.length, 0, 0, failed.length],
      ]);
      expect(body.errors.map(({ row, pointer }: { row: number; pointer: string }) => `${row}${pointer}`)).toEqual(
        failed,
      );
      expect(await jobs()).toMatchObject(created);
    };

    it.each<[string, string | Buffer, object[], string[]?]>([
      [
        'booleans of Excel',
        'title,isFavorite\nOne,TRUE\nTwo,FALSE\nThree,true\n',
        [{ isFavorite: true }, { isFavorite: false }, { isFavorite: true }],
      ],
      [
        'ids in scientific notation',
        'upworkJobId,title\n1.98E+18,First vacancy\n1.98E+18,Second vacancy\n~021978700000000000001,Third vacancy\n',
        [{ title: 'Third vacancy', upworkJobId: '~021978700000000000001' }],
        ['1/upworkJobId', '2/upworkJobId'],
      ],
      ['blank rows', 'title,skills,jobType\nOne,"SQL, Python",fixed\n,,\n,,\n', [{ title: 'One', jobType: 'fixed' }]],
      [
        'UTF-16 with its mark',
        Buffer.from('\uFEFFtitle,skills\r\nOne,SQL\r\n', 'utf16le'),
        [{ title: 'One', skills: ['SQL'] }],
      ],
      [
        'semicolons and a decimal comma',
        'title;skills;budgetMin\nOne;"SQL, Python";500,50\n',
        [{ skills: ['SQL', 'Python'], budgetMin: '500.50' }],
      ],
      [
        '600 code points that look like 300 characters',
        `title,skills\n${'\u2764\uFE0F'.repeat(300)},SQL\nTwo,SQL\n`,
        [{ title: 'Two' }],
        ['1/title'],
      ],
      ['an empty last column', 'title,skills,\nOne,SQL,\nTwo,Python,\n', [{ title: 'One' }, { title: 'Two' }]],
    ])('of a spreadsheet reads %s', async (_, csv, created, failed = []) => {
      await createdAs(csv, created, failed);
    });

    it('stores and counts the rows before a row without end', async () => {
      const description = ','.repeat(50_000);

      const { body } = await importing(
        `title,description\nOne,"${description}"\nTwo,\n${','.repeat(2_000_000)}\nThree,\n`,
        CSV,
      );

      expect([counts(body), body.errors]).toMatchObject([[3, 2, 0, 0, 1], [{ row: 3, code: 'file_broken' }]]);
      expect((await jobs())[0]).toMatchObject({ title: 'One', description });
    });

    it('stores and counts the rows before a quote that is never closed', async () => {
      const { status, body } = await importing('title,country\nOne,Malta\nTwo,"Cyprus\nThree,Malta\n', CSV);

      expect([status, counts(body)]).toEqual([200, [2, 1, 0, 0, 1]]);
      expect(body.errors).toEqual([
        { row: 2, pointer: '', code: 'file_broken', message: expect.stringContaining('never closed') },
      ]);
    });

    it.each([
      ['an empty file', ''],
      ['an unknown column', 'title,colour\nA,red\n'],
      ['a column twice', 'budgetMin,title,budget_min\n1,A,1\n'],
      ['no title', 'country\nMalta\n'],
      ['an unknown column of a listing', 'Job Title,Colour\nA,red\n'],
      ['a read-only column', 'id,title\n1,A\n'],
      ['a quote never closed in the header', '"title\nA\n'],
      ['UTF-16 without its mark', Buffer.from('title\nA\n', 'utf16le')],
      ['a workbook', Buffer.from('PK\x03\x04 a workbook')],
      ['bytes', Buffer.from([0, 1, 2, 255, 254])],
    ])('refuses %s with 400', async (_, csv) => {
      const { status, body } = await importing(csv, CSV);

      expect([status, body.code]).toEqual([400, 'import.malformed']);
      expect(body.errors.length).toBeGreaterThan(0);
    });
  });

  describe('of JSON', () => {
    it('reads an array and reports invalid elements by their number', async () => {
      const faulty = [
        JSON.stringify({ title: 'Good' }),
        '{"title": 5}',
        '"text"',
        '{"title": "twice", "title": "twice"}',
        '{"title": "NUL \\u0000"}',
        '{"title": "half \\ud800"}',
        '{"title": oops}',
        '{"title": "x", "budgetMin": 12.5}',
        '{"title": "x", "userId": 1}',
        '{"title": "x", "toString": 1}',
        '{"title": "x", "__proto__": {}}',
        `{"title": "x", "clientInfo": ${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}`,
        'null',
        JSON.stringify({ title: 'Also good ]}",' }),
      ];

      const { status, body } = await importing(`[${faulty.join(',\n')}]`);

      expect([status, counts(body)]).toEqual([200, [14, 2, 0, 0, 12]]);
      expect([...new Set(body.errors.map(({ row }: { row: number }) => row))]).toEqual([
        2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
      ]);
      expect(body.errors.find(({ row }: { row: number }) => row === 8)).toMatchObject({
        pointer: '/budgetMin',
        code: 'matches',
      });
    });

    it('stores and counts the rows before an incomplete end', async () => {
      const { status, body } = await importing('[{"title":"One"},{"title":"Two"},{"title":"Thr');

      expect([status, counts(body)]).toEqual([200, [3, 2, 0, 0, 1]]);
      expect(body.errors[0]).toMatchObject({ row: 3, code: 'file_broken' });
    });

    it('accepts an empty array', async () => {
      const { status, body } = await importing('\uFEFF [ ] ');

      expect([status, counts(body)]).toEqual([200, [0, 0, 0, 0, 0]]);
    });

    it.each([
      ['an object', '{"title":"One"}'],
      ['nothing', ''],
      ['text', 'hello'],
      ['an array that does not begin', ']'],
      ['bytes', Buffer.from([0xff, 0xfe])],
      ['two arrays', '[][]'],
    ])('refuses %s with 400', async (_, json) => {
      const { status, body } = await importing(json);

      expect([status, body.code]).toEqual([400, 'import.malformed']);
    });

    it('refuses more than 10,000 rows and stores none of them', async () => {
      const rows = (count: number): string => `[${Array.from({ length: count }, (_, i) => `{"title":"${i}"}`).join()}]`;

      const { status, body } = await importing(rows(10_001));

      expect([status, body.code]).toEqual([413, 'import.too_many_rows']);
      expect(await jobs()).toEqual([]);
    });
  });

  describe('of NDJSON', () => {
    it('reads one row per line, skips blank lines and reports a truncated line', async () => {
      const { status, body } = await importing('{"title":"One"}\r\n\n  \n[]\n{"title":"Two"}\n{"title":"Thr', NDJSON);

      expect([status, counts(body)]).toEqual([200, [4, 2, 0, 0, 2]]);
      expect(body.errors.map(({ row }: { row: number }) => row)).toEqual([2, 4]);
    });

    it('refuses a row of more than 1 MiB, and only it', async () => {
      const { body } = await importing(
        `{"title":"One"}\n{"title":"${'x'.repeat(3_000_000)}"}\n{"title":"Three"}`,
        NDJSON,
      );

      expect(counts(body)).toEqual([3, 2, 0, 0, 1]);
      expect(body.errors).toMatchObject([{ row: 2, code: 'row_too_large' }]);
    });

    it('lists at most 1,000 reasons and the number of others', async () => {
      const { body } = await importing('{}\n'.repeat(1_200), NDJSON);

      expect(counts(body)).toEqual([1_200, 0, 0, 0, 1_200]);
      expect(body.errors).toHaveLength(1_000);
      expect(body.errorsOmitted).toBeGreaterThan(0);
    });
  });

  it('stops reading after more than 10,000 failed rows', async () => {
    // A row that is no object fails before its fields are checked, which would cost most of the time.
    const { status, body } = await importing(`{"title":"Good"}\n${'[]\n'.repeat(10_500)}`, NDJSON);

    expect([status, counts(body)]).toEqual([200, [10_003, 1, 0, 0, 10_002]]);
  });

  describe('of stored jobs', () => {
    it('updates different fields except status and favourite, with one audit row each', async () => {
      const { body: job } = await user.post('/v1/jobs', buildJob({ upworkJobId: 'u-1', country: 'Malta' }));
      await user.patch(`/v1/jobs/${job.id}`, { isFavorite: true, status: 'archived' });
      const audited = Number(await auditRows());

      const { headers, body } = await importing([
        { upworkJobId: 'u-1', title: 'New title', isFavorite: false, status: 'active' },
      ]);
      const again = await importing([{ upworkJobId: 'u-1', title: 'New title' }]);

      expect(counts(body)).toEqual([1, 0, 1, 0, 0]);
      expect(counts(again.body)).toEqual([1, 0, 0, 1, 0]);
      expect((await user.get(`/v1/jobs/${job.id}`)).body).toMatchObject({
        title: 'New title',
        country: null,
        skills: [],
        isFavorite: true,
        status: 'archived',
        version: 3,
      });
      expect(await auditRows()).toBe(audited + 1);
      const [change] = await app.db.query(
        'superuser',
        'SELECT * FROM audit_logs WHERE record_id = $1 ORDER BY id DESC LIMIT 1',
        [job.id],
      );
      expect(change).toMatchObject({
        table_name: 'jobs',
        action: 'UPDATE',
        actor_kind: 'user',
        actor_id: user.id,
        request_id: headers.get('x-request-id'),
        operation: 'POST /v1/jobs/import',
        new_values: { title: 'New title', country: null, skills: [] },
      });
    });

    it('recognizes a deleted job and leaves it deleted', async () => {
      const { body: job } = await user.post('/v1/jobs', buildJob());
      await user.delete(`/v1/jobs/${job.id}`);

      const { body } = await importing([buildJob()]);

      expect(counts(body)).toEqual([1, 0, 0, 1, 0]);
      expect(await jobs()).toEqual([]);
    });

    it('treats a changed job as different from its original row', async () => {
      await importing([{ title: 'As it came' }]);
      const [job] = await jobs();
      await user.patch(`/v1/jobs/${job.id}`, { title: 'Changed' });

      const { body } = await importing([{ title: 'As it came' }, { title: 'Changed' }]);

      expect(counts(body)).toEqual([2, 1, 0, 1, 0]);
    });

    it('handles rows of one job in one file as separate imports would', async () => {
      const rows = [
        { upworkJobId: 'u-1', title: 'First', isFavorite: true },
        { upworkJobId: 'u-1', title: 'Second' },
        { upworkJobId: 'u-1', title: 'Second', isFavorite: false },
        { title: 'No id', skills: ['a', 'b'] },
        { title: ' No id ', skills: [' a', 'b', 'a'], budgetMin: null },
        { title: 'No id', skills: ['b', 'a'] },
      ];

      const { body } = await importing(rows);

      expect(counts(body)).toEqual([6, 3, 1, 2, 0]);
      expect(await jobs()).toMatchObject([
        { title: 'Second', isFavorite: true },
        { skills: ['a', 'b'] },
        { skills: ['b', 'a'] },
      ]);
    });

    it('counts a row that repeats one of an earlier batch as unchanged', async () => {
      const rows = Array.from({ length: 1_700 }, (_, i) => ({ title: `Job ${i % 850}` }));

      const { body } = await importing(rows);

      expect(counts(body)).toEqual([1_700, 850, 0, 850, 0]);
    });

    it('ignores equal jobs of another tenant', async () => {
      const other = await createSignedInCaller(app);
      await other.post('/v1/jobs/import', [{ upworkJobId: 'shared', title: 'Theirs' }]);

      const { body } = await importing([{ upworkJobId: 'shared', title: 'Mine' }]);

      expect(counts(body)).toEqual([1, 1, 0, 0, 0]);
      expect((await other.get('/v1/jobs')).body.items).toMatchObject([{ title: 'Theirs', version: 1 }]);
    });

    it('stores two concurrent files with the same jobs in opposite orders', async () => {
      const rows = Array.from({ length: 600 }, (_, i) => ({ upworkJobId: `u-${i}`, title: `A ${i}` }));
      const other = rows.map(({ upworkJobId }) => ({ upworkJobId, title: `B ${upworkJobId}` })).reverse();

      const [a, b] = await Promise.all([importing(rows), importing(other)]);

      expect([a.status, b.status]).toEqual([200, 200]);
      expect(a.body.created + b.body.created).toBe(600);
      expect(a.body.total + b.body.total).toBe(1_200);
    });
  });

  describe('refuses', () => {
    it.each([
      ['another media type', 'application/xml', {}],
      ['a merge patch', 'application/merge-patch+json', {}],
      ['a compressed body', 'text/csv', { 'content-encoding': 'gzip' }],
      ['another charset', 'text/csv; charset=windows-1251', {}],
    ])('%s with 415', async (_, type, headers) => {
      const { status, body } = await importing('[]', { 'content-type': type, ...headers });

      expect([status, body.code]).toEqual([415, 'request.media_type_unsupported']);
    });

    it('a file beyond the limit with 413 before reading it', async () => {
      const { status, body } = await importing(`title\n${'x'.repeat(9 * 1024 * 1024)}`, CSV);

      expect([status, body.code]).toEqual([413, 'request.body_too_large']);
    });

    it('a large file at its header, and receives the rest from a sender that continues', async () => {
      const large = Buffer.from(`colour\n${'red\n'.repeat(1_800_000)}`);

      const answer = await sentWhole(large);

      expect(answer).toContain('HTTP/1.1 400');
      expect(answer).toContain('import.malformed');
    });

    it('a caller who is not signed in with 401', async () => {
      const { status } = await createAnonymousCaller(app).post('/v1/jobs/import', 'title\nA\n', CSV);

      expect(status).toBe(401);
    });
  });

  it('stores nothing of a file whose sender disconnects', async () => {
    const rows = Array.from({ length: 2_000 }, (_, i) =>
      JSON.stringify({ upworkJobId: `gone-${i}`, title: `Job ${i}` }),
    );

    await new Promise<void>((resolve) => {
      const request = httpRequest(`${app.url}/v1/jobs/import`, {
        method: 'POST',
        headers: { ...NDJSON, authorization: `Bearer ${user.token}`, 'content-length': '5000000' },
      });
      request.on('error', () => undefined).on('close', () => resolve());
      request.write(rows.join('\n'));
      void pause(300, 'the server reports no first part of a file').then(() => request.destroy());
    });

    const [row] = await app.db.query<{ count: number }>('superuser', 'SELECT count(*) FROM jobs WHERE user_id = $1', [
      user.id,
    ]);
    expect(row?.count).toBe(0);
  });

  describe('with an Idempotency-Key', () => {
    it('replays the response for the same file and refuses another one', async () => {
      const headers = { ...CSV, 'idempotency-key': randomUUID() };
      const first = await importing(LISTING, headers);
      await user.delete(`/v1/jobs/${(await jobs())[0].id}`);

      const second = await importing(LISTING, headers);
      const other = await importing(`${LISTING}Another,Hourly,N/A,Expert,SQL\n`, headers);

      expect(counts(first.body)).toEqual([5, 4, 0, 1, 0]);
      expect([second.status, second.body]).toEqual([200, first.body]);
      expect(second.headers.get('idempotent-replayed')).toBe('true');
      expect([other.status, other.body.code]).toEqual([422, 'idempotency.key_reused']);
      expect(await jobs()).toHaveLength(3);
    });

    it('stores all batches in one transaction', async () => {
      const rows = Array.from({ length: 1_100 }, (_, i) => ({ title: `Job ${i}` }));

      const { body } = await importing(rows, { 'idempotency-key': randomUUID() });

      expect(counts(body)).toEqual([1_100, 1_100, 0, 0, 0]);
      const [row] = await app.db.query<{ count: number }>(
        'superuser',
        'SELECT count(DISTINCT xmin::text) FROM jobs WHERE user_id = $1',
        [user.id],
      );
      expect(row?.count).toBe(1);
    });

    it('may be used again after a refusal', async () => {
      const headers = { 'idempotency-key': randomUUID() };

      const refused = await importing('{}', headers);
      const mended = await importing([{ title: 'One' }], headers);

      expect([refused.status, mended.status]).toEqual([400, 200]);
    });
  });
});
